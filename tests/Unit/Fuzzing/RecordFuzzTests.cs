using System.Buffers;
using System.Security.Authentication;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tls;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Fuzzing;

/// <summary>Real TLS connections that are given anything: as their beginning, and once they are established.</summary>
public sealed class RecordFuzzTests(ITestOutputHelper output)
{
    private const int Seed = 4711;

    [Fact]
    public void Beginnings_of_any_kind_end_in_an_alert_or_wait_for_more_and_leave_nothing()
    {
        var generator = new HelloGenerator(Seed);
        var outcomes = new Dictionary<TlsStatus, int>();
        using var context = TlsPair.CreateContext();
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = generator.Next();
            if (ClientHello.Inspect(new ReadOnlySequence<byte>(bytes)) != ClientHelloState.Complete)
            {
                // The endpoint gives OpenSSL none of these.
                continue;
            }

            using TlsServerConnection tls = context.Accept();
            var answer = new ArrayBufferWriter<byte>();
            ReadOnlySequence<byte> left = HelloBytes.Segments(bytes, generator.Cuts(bytes.Length));
            TlsStatus status = tls.Handshake(ref left, answer);
            outcomes[status] = outcomes.GetValueOrDefault(status) + 1;

            // No damaged ClientHello ends a handshake; what fails is said in an alert, what waits has answered with its own flight or with nothing.
            Assert.NotEqual(TlsStatus.Done, status);
            Assert.True(status == TlsStatus.WantRead || answer.WrittenCount > 0, $"seed {Seed}, input {i}: {status} and no alert");
        }

        foreach ((TlsStatus status, int count) in outcomes)
        {
            output.WriteLine($"{count,6} {status}");
        }

        Assert.True(outcomes.Values.Sum() > 100);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Records_of_any_kind_on_established_connections_end_them_with_an_alert_and_leave_nothing(SslProtocols version)
    {
        for (int i = 0; i < 25; i++)
        {
            var random = new Random(Seed + i);
            TlsPair pair = await TlsPair.ConnectAsync(version);
            byte[] bytes = Records(random);
            await pair.RawToServer.WriteAsync(bytes);
            await pair.RawToServer.CompleteAsync();
            Exception? failure = await Record.ExceptionAsync(async () =>
            {
                while (true)
                {
                    System.IO.Pipelines.ReadResult result = await pair.Server.Input.ReadAsync().AsTask().WaitAsync(TlsPair.Patience);
                    Assert.True(result.Buffer.IsEmpty, $"seed {Seed + i}: {result.Buffer.Length} bytes were taken for the client's");
                    pair.Server.Input.AdvanceTo(result.Buffer.End);
                    if (result.IsCompleted)
                    {
                        return;
                    }
                }
            });
            Assert.True(failure is null or Microsoft.AspNetCore.Connections.ConnectionResetException, $"seed {Seed + i}: {failure}");
            Assert.NotEqual(TlsStreamEnd.CloseNotify, pair.Server.End);
            await pair.Server.CloseAsync(default);
            WarpProxy.Tests.Unit.Proxy.TlsPair.CountingPool pool = pair.Pool;
            await pair.DisposeAsync();
            Assert.Equal(0, pool.Count);
        }
    }

    private static byte[] Records(Random random)
    {
        var bytes = new List<byte>();
        for (int count = random.Next(1, 6); count > 0; count--)
        {
            byte[] body = new byte[random.Next(4) == 0 ? random.Next(18_000) : random.Next(200)];
            random.NextBytes(body);
            byte type = (byte)(random.Next(3) == 0 ? random.Next(256) : random.Next(20, 25));
            int said = random.Next(6) == 0 ? random.Next(65536) : body.Length;
            bytes.AddRange([type, (byte)(random.Next(6) == 0 ? random.Next(256) : 3), (byte)random.Next(5), .. HelloBytes.Length(said), .. body]);
        }

        return [.. bytes];
    }
}
