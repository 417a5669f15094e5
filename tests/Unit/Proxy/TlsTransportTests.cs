using System.Buffers;
using System.IO.Pipelines;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using WarpProxy.Tls;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>The pipes over a TLS connection, as Kestrel uses them.</summary>
public sealed class TlsTransportTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TlsPair.Patience;

    [Theory]
    [InlineData(SslProtocols.Tls12, 1)]
    [InlineData(SslProtocols.Tls13, 2)]
    public async Task Bytes_in_pieces_of_any_size_go_both_ways_unchanged(SslProtocols version, int seed)
    {
        output.WriteLine($"seed {seed}");
        await using TlsPair pair = await TlsPair.ConnectAsync(version);
        byte[] sent = new byte[3_000_000];
        var random = new Random(seed);
        random.NextBytes(sent);
        Task echoing = EchoAsync(pair.Server, seed);
        Task writing = Task.Run(async () =>
        {
            var sizes = new Random(seed);
            for (int at = 0; at < sent.Length;)
            {
                int size = Math.Min(sizes.Next(1, sizes.Next(2) == 0 ? 100 : 70_000), sent.Length - at);
                await pair.Client.WriteAsync(sent.AsMemory(at, size));
                at += size;
            }

            await pair.Client.ShutdownAsync();
        });
        using var received = new MemoryStream();
        await pair.Client.CopyToAsync(received).WaitAsync(Patience);
        await Task.WhenAll(echoing, writing).WaitAsync(Patience);
        Assert.True(sent.AsSpan().SequenceEqual(received.ToArray()));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Client_that_says_close_notify_can_still_be_answered(SslProtocols version)
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(version);
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 });
        await pair.Client.ShutdownAsync();
        Assert.Equal([1, 2, 3], await pair.ReceiveAsync(int.MaxValue));
        Assert.Equal(TlsStreamEnd.CloseNotify, pair.Server.End);
        Assert.True((await pair.Server.Input.ReadAsync()).IsCompleted);

        await pair.Server.Output.WriteAsync(new byte[] { 4 });
        byte[] buffer = new byte[10];
        Assert.Equal(1, await pair.Client.ReadAsync(buffer).AsTask().WaitAsync(Patience));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Client_that_leaves_without_close_notify_is_told_from_one_that_says_it(SslProtocols version)
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(version);
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 });
        await pair.RawToServer.CompleteAsync();
        Assert.Equal([1, 2, 3], await pair.ReceiveAsync(3));
        await Assert.ThrowsAsync<ConnectionResetException>(() => pair.Server.Input.ReadAsync().AsTask().WaitAsync(Patience));
        Assert.Equal(TlsStreamEnd.Truncated, pair.Server.End);
    }

    [Fact]
    public async Task Half_a_record_and_then_nothing_is_a_truncation()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        await pair.RawToServer.WriteAsync(new byte[] { 23, 3, 3, 1, 0, 99 });
        await pair.RawToServer.CompleteAsync();
        await Assert.ThrowsAsync<ConnectionResetException>(() => pair.Server.Input.ReadAsync().AsTask().WaitAsync(Patience));
        Assert.Equal(TlsStreamEnd.Truncated, pair.Server.End);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, 100, 20)]               // bad_record_mac
    [InlineData(SslProtocols.Tls12, 16384 + 2048 + 1, 22)]  // record_overflow
    public async Task Bad_record_fails_the_connection_with_an_alert(SslProtocols version, int length, int alert)
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(version);
        byte[] record = new byte[5 + length];
        new byte[] { 23, 3, 3, (byte)(length >> 8), (byte)length }.CopyTo(record, 0);
        await pair.RawToServer.WriteAsync(record);
        ConnectionResetException failure =
            await Assert.ThrowsAsync<ConnectionResetException>(() => pair.Server.Input.ReadAsync().AsTask().WaitAsync(Patience));
        output.WriteLine(failure.Message);
        Assert.Equal(TlsStreamEnd.Failed, pair.Server.End);
        Assert.True((await pair.Server.Output.WriteAsync(new byte[] { 1 })).IsCompleted);

        await pair.Server.CloseAsync(default);
        await AssertClientIsToldAsync(pair, alert);
    }

    [Fact]
    public async Task Bad_record_of_TLS_1_3_is_answered_with_an_alert_record()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        await pair.RawToServer.WriteAsync(new byte[] { 23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 });
        await Assert.ThrowsAsync<ConnectionResetException>(() => pair.Server.Input.ReadAsync().AsTask().WaitAsync(Patience));
        await pair.Server.CloseAsync(default);
        await AssertClientIsToldAsync(pair, 20);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Closing_sends_what_was_written_and_close_notify_once(SslProtocols version)
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(version);
        pair.Server.Output.Write<byte>([7, 8, 9]);
        pair.Server.Output.Complete();
        await pair.Server.CloseAsync(default);
        await pair.Server.CloseAsync(default);
        byte[] buffer = new byte[10];
        Assert.Equal(3, await pair.Client.ReadAsync(buffer).AsTask().WaitAsync(Patience));

        // SslStream answers 0 to close_notify alone: the pipe has not ended.
        Assert.Equal(0, await pair.Client.ReadAsync(buffer).AsTask().WaitAsync(Patience));
        Assert.False(pair.RawToClient.TryRead(out _));
    }

    [Fact]
    public async Task Client_that_takes_nothing_is_given_up_after_a_while()
    {
        await using TlsPair pair = await ConnectFullAsync();
        Task<bool> closing = pair.Server.CloseAsync(default);
        Assert.False(closing.IsCompleted);
        pair.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(await closing.WaitAsync(Patience));
    }

    [Fact]
    public async Task Client_that_takes_everything_is_told_the_end()
    {
        await using TlsPair pair = await ConnectFullAsync();
        Task<bool> closing = pair.Server.CloseAsync(default);
        await pair.Client.ReadExactlyAsync(new byte[9 * 16384]).AsTask().WaitAsync(Patience);
        Assert.True(await closing.WaitAsync(Patience));
    }

    [Fact]
    public async Task Writer_whose_flush_was_given_up_is_not_taken_for_one_that_waits()
    {
        await using TlsPair pair = await ConnectFullAsync();
        Task<FlushResult> ofReader = pair.Server.FlushAsync(isWriter: false, default).AsTask();
        using var impatience = new CancellationTokenSource();
        pair.Server.Output.Write<byte>([1]);
        Task<FlushResult> ofWriter = pair.Server.Output.FlushAsync(impatience.Token).AsTask();
        Assert.False(ofWriter.IsCompleted);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ofWriter.WaitAsync(Patience));

        // There is one flush left that a cancellation can be for.
        pair.Server.Output.CancelPendingFlush();
        Assert.True((await ofReader.WaitAsync(Patience)).IsCanceled);
    }

    private static async Task<TlsPair> ConnectFullAsync()
    {
        TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13, pauseBytes: 64 * 1024);
        for (int i = 0; i < 9; i++)
        {
            Assert.True(pair.Server.TryEncrypt(new byte[16384]));
        }

        return pair;
    }

    [Fact]
    public async Task What_was_examined_comes_again_with_more()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        PipeReader input = pair.Server.Input;
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 });
        ReadResult first = await input.ReadAsync();
        input.AdvanceTo(first.Buffer.GetPosition(1), first.Buffer.End);
        Assert.False(input.TryRead(out _));
        ValueTask<ReadResult> waiting = input.ReadAsync();
        Assert.False(waiting.IsCompleted);
        await pair.Client.WriteAsync(new byte[] { 4 });
        ReadResult second = await waiting.AsTask().WaitAsync(Patience);
        Assert.Equal([2, 3, 4], second.Buffer.ToArray());

        // Looked at, up to the second of them: the third is news.
        input.AdvanceTo(second.Buffer.Start, second.Buffer.GetPosition(2));
        Assert.True(input.TryRead(out ReadResult third));
        Assert.Equal([2, 3, 4], third.Buffer.ToArray());
        Assert.Throws<InvalidOperationException>(() => input.AdvanceTo(third.Buffer.End, third.Buffer.Start));
    }

    [Fact]
    public async Task Pending_read_is_canceled_and_the_next_one_is_not()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        PipeReader input = pair.Server.Input;
        ValueTask<ReadResult> waiting = input.ReadAsync();
        input.CancelPendingRead();
        ReadResult canceled = await waiting.AsTask().WaitAsync(Patience);
        Assert.True(canceled.IsCanceled);
        input.AdvanceTo(canceled.Buffer.Start, canceled.Buffer.End);
        Assert.False(input.TryRead(out _));
        await pair.Client.WriteAsync(new byte[] { 5 });
        Assert.Equal([5], await pair.ReceiveAsync(1));
    }

    [Fact]
    public async Task Read_to_come_is_canceled_with_what_is_there()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        PipeReader input = pair.Server.Input;
        await pair.Client.WriteAsync(new byte[] { 1, 2 });
        ReadResult first = await input.ReadAsync();
        input.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        input.CancelPendingRead();
        ReadResult canceled = await input.ReadAsync();
        Assert.True(canceled.IsCanceled);
        Assert.Equal([1, 2], canceled.Buffer.ToArray());
        input.AdvanceTo(canceled.Buffer.Start, canceled.Buffer.End);

        // The transport's read is canceled as well, later; that is none of this reader's.
        ValueTask<ReadResult> waiting = input.ReadAsync();
        Assert.False(waiting.IsCompleted);
        await pair.Client.WriteAsync(new byte[] { 3 });
        ReadResult last = await waiting.AsTask().WaitAsync(Patience);
        Assert.False(last.IsCanceled);
        Assert.Equal([1, 2, 3], last.Buffer.ToArray());
    }

    [Fact]
    public async Task Token_ends_a_read_and_no_byte_is_lost()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        using var canceling = new CancellationTokenSource();
        ValueTask<ReadResult> waiting = pair.Server.Input.ReadAsync(canceling.Token);
        await canceling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.AsTask().WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Server.Input.ReadAsync(canceling.Token).AsTask());
        await pair.Client.WriteAsync(new byte[] { 5 });
        Assert.Equal([5], await pair.ReceiveAsync(1));
    }

    [Fact]
    public async Task Flush_waits_for_a_client_that_does_not_read_and_memory_stays_bounded()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13, pauseBytes: 64 * 1024);
        PipeWriter writer = pair.Server.Output;
        byte[] data = new byte[100_000];
        ValueTask<FlushResult> flush = writer.WriteAsync(data);
        Assert.False(flush.IsCompleted);
        Assert.Equal(0, pair.Pool.Count);
        writer.CancelPendingFlush();
        Assert.True((await flush.AsTask().WaitAsync(Patience)).IsCanceled);

        Task<FlushResult> again = writer.FlushAsync().AsTask();
        Assert.False(again.IsCompleted);
        await pair.Client.ReadExactlyAsync(new byte[data.Length]).AsTask().WaitAsync(Patience);
        Assert.False((await again.WaitAsync(Patience)).IsCanceled);
    }

    [Fact]
    public async Task Writer_and_reader_that_flush_together_wait_for_each_other()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13, pauseBytes: 64 * 1024);
        byte[] data = new byte[100_000];
        Task<FlushResult> first = pair.Server.Output.WriteAsync(data).AsTask();
        Task<FlushResult> second = pair.Server.FlushAsync(isWriter: false, default).AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted);
        await pair.Client.ReadExactlyAsync(new byte[data.Length]).AsTask().WaitAsync(Patience);
        await Task.WhenAll(first, second).WaitAsync(Patience);
    }

    [Fact]
    public async Task Writer_that_waits_for_a_flush_of_the_reader_can_be_canceled()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13, pauseBytes: 64 * 1024);
        for (int i = 0; i < 9; i++)
        {
            Assert.True(pair.Server.TryEncrypt(new byte[16384]));
        }

        Task<FlushResult> ofReader = pair.Server.FlushAsync(isWriter: false, default).AsTask();
        Task<FlushResult> ofWriter = pair.Server.Output.WriteAsync(new byte[] { 1 }).AsTask();
        pair.Server.Output.CancelPendingFlush();
        Assert.True((await ofWriter.WaitAsync(Patience)).IsCanceled);
        Assert.False(ofReader.IsCompleted);
        await pair.Client.ReadExactlyAsync(new byte[9 * 16384]).AsTask().WaitAsync(Patience);
        await ofReader.WaitAsync(Patience);

        // What the canceled flush was to send goes with the next one.
        await pair.Server.Output.FlushAsync();
        Assert.Equal(1, await pair.Client.ReadAsync(new byte[10]).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task Connection_that_waits_holds_no_memory()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        await pair.Client.WriteAsync(new byte[10_000]);
        await pair.ReceiveAsync(10_000);
        await pair.Server.Output.WriteAsync(new byte[50_000]);
        ValueTask<ReadResult> waiting = pair.Server.Input.ReadAsync();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(0, pair.Pool.Count);
        pair.Server.Input.CancelPendingRead();
        await waiting;
    }

    [Fact]
    public async Task What_the_client_can_make_the_proxy_hold_at_once_is_bounded()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        byte[] data = new byte[500_000];
        Task writing = pair.Client.WriteAsync(data).AsTask();
        ReadResult result = await pair.Server.Input.ReadAsync();
        Assert.InRange(result.Buffer.Length, 1, 80 * 1024);
        pair.Server.Input.AdvanceTo(result.Buffer.Start);
        Assert.Equal(data.Length, (await pair.ReceiveAsync(data.Length)).Length);
        await writing.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(20_000)]
    public async Task Memory_is_as_large_as_asked_for(int hint)
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        PipeWriter writer = pair.Server.Output;
        int sent = 0;
        for (int i = 0; i < 3; i++)
        {
            Memory<byte> memory = writer.GetMemory(hint);
            Assert.True(memory.Length >= Math.Max(hint, 1));
            writer.Advance(memory.Length);
            sent += memory.Length;
        }

        await writer.FlushAsync();
        await pair.Client.ReadExactlyAsync(new byte[sent]).AsTask().WaitAsync(Patience);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(1));
    }

    [Fact]
    public async Task After_completion_reader_and_writer_refuse()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        pair.Server.Input.Complete();
        pair.Server.Output.Complete();
        Assert.Throws<InvalidOperationException>(() => pair.Server.Input.TryRead(out _));
        Assert.Throws<InvalidOperationException>(() => pair.Server.Output.GetMemory());
    }

    [Fact]
    public async Task Disposed_during_a_read_it_ends_in_peace()
    {
        await using TlsPair pair = await TlsPair.ConnectAsync(SslProtocols.Tls13);
        Task<ReadResult> waiting = pair.Server.Input.ReadAsync().AsTask();
        pair.Server.Dispose();
        pair.Server.Dispose();
        await pair.Client.WriteAsync(new byte[] { 1 });
        await Assert.ThrowsAnyAsync<Exception>(() => waiting.WaitAsync(Patience));
        Assert.Equal(0, pair.Pool.Count);
    }

    /// <summary>Reads the server's last record as the client does, and expects a fatal alert in it.</summary>
    private static async Task AssertClientIsToldAsync(TlsPair pair, int alert)
    {
        IOException told = await Assert.ThrowsAnyAsync<IOException>(() => pair.Client.ReadAsync(new byte[10]).AsTask().WaitAsync(Patience));
        Assert.Contains(alert == 20 ? "bad record mac" : "record overflow", told.ToString(), StringComparison.Ordinal);
    }

    private static async Task EchoAsync(TlsTransport server, int seed)
    {
        var random = new Random(seed + 1);
        while (true)
        {
            ReadResult result = await server.Input.ReadAsync();
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (buffer.IsEmpty && result.IsCompleted)
            {
                break;
            }

            // Sometimes only a part is taken, or only looked at.
            long taken = random.Next(3) switch
            {
                0 => random.NextInt64(buffer.Length + 1),
                _ => buffer.Length,
            };
            foreach (ReadOnlyMemory<byte> part in buffer.Slice(0, taken))
            {
                server.Output.Write(part.Span);
            }

            server.Input.AdvanceTo(buffer.GetPosition(taken));
            if (random.Next(2) == 0 || taken < buffer.Length)
            {
                await server.Output.FlushAsync();
            }
        }

        await server.Output.FlushAsync();
        server.Output.Complete();
        await server.CloseAsync(default);
    }
}
