using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;
using static WarpProxy.Tests.EndToEnd.Strangers.StrangerSocket;

namespace WarpProxy.Tests.EndToEnd.Strangers;

/// <summary>Clients that know vfio-user and HPRE, against <c>warp-emulator</c>: by doorbells in messages and by looking, without any interrupt.</summary>
public sealed class StrangerTests(StrangeEmulator emulator, ITestOutputHelper output) : IClassFixture<StrangeEmulator>
{
    // Places in a stranger's memory; none is aligned.
    private const int KeyAt = 1;
    private const int InputAt = 0x4003;
    private const int OutputAt = 0x8005;
    private const int Step = 0x1000;

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1024, false)]
    [InlineData(2048, true)]
    [InlineData(2048, false)]
    [InlineData(3072, true)]
    [InlineData(4096, true)]
    public void Every_algorithm_gives_what_NET_gives(int bits, bool maps)
    {
        StrangerKey key = StrangerKey.OfBits(bits);
        using Stranger stranger = Stranger.Start(emulator.Socket, depth: 8, maps);
        byte[] input = key.Input();
        (uint Algorithm, byte[] Block, byte[] Expected)[] operations =
        [
            (0, key.Private, key.PrivatePower(input)),
            (0, key.Public, key.PublicPower(input)),
            (1, key.Crt, key.PrivatePower(input)),
            (2, key.Primes, key.Made[..(2 * key.Bytes)]),
            (3, key.Primes, key.Made),
        ];
        input.CopyTo(stranger.Memory.Span[InputAt..]);
        stranger.Memory.Span[OutputAt..].Fill(0xa5);
        for (int i = 0; i < operations.Length; i++)
        {
            (uint algorithm, byte[] block, _) = operations[i];
            block.CopyTo(stranger.Memory.Span[(KeyAt + (i * 0x800))..]);
            stranger.Submit(algorithm, key.TaskLength, KeyAt + (i * 0x800), algorithm < 2 ? InputAt : -1, OutputAt + (i * Step), Tag(i));
        }

        stranger.Ring();
        for (int i = 0; i < operations.Length; i++)
        {
            Assert.Equal(new StrangerResult(operations[i].Algorithm, 0, 0, 3, Tag(i)), stranger.Reap());
            byte[] expected = operations[i].Expected;
            Span<byte> place = stranger.Memory.Span.Slice(OutputAt + (i * Step), Step);
            Assert.Equal(expected, place[..expected.Length].ToArray());

            // And nothing behind it.
            Assert.Equal(-1, place[expected.Length..].IndexOfAnyExcept((byte)0xa5));
        }

        static ulong Tag(int i) => 0xfedc_ba98_7654_3210 ^ (ulong)i;
    }

    [Fact]
    public void Doorbells_that_are_not_answered_go_round_the_rings_many_times()
    {
        StrangerKey key = StrangerKey.OfBits(1024);
        using Stranger stranger = Stranger.Start(emulator.Socket, depth: 4, maps: true);
        key.Crt.CopyTo(stranger.Memory.Span[KeyAt..]);
        var expected = new Queue<byte[]>();
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < 3; i++)
            {
                byte[] input = key.Input();
                expected.Enqueue(key.PrivatePower(input));
                input.CopyTo(stranger.Memory.Span[(InputAt + (i * Step))..]);
                stranger.Submit(1, key.TaskLength, KeyAt, InputAt + (i * Step), OutputAt + (i * Step), (ulong)i);
                stranger.Ring(posted: true);
            }

            for (int i = 0; i < 3; i++)
            {
                Assert.Equal(new StrangerResult(1, 0, 0, 3, (ulong)i), stranger.Reap(posted: true));
                Assert.Equal(expected.Dequeue(), stranger.Memory.Span.Slice(OutputAt + (i * Step), key.Bytes).ToArray());
            }
        }

        // The next reply is that of the next question: the 120 doorbells had none.
        Assert.Equal(0u, stranger.ReadRegister(0x30));
    }

    [Fact]
    public async Task Many_at_once_are_each_answered_their_own()
    {
        const int Strangers = 6;
        using var start = new Barrier(Strangers);
        ushort[] numbers = await Task.WhenAll(Enumerable.Range(0, Strangers).Select(client => Task.Factory.StartNew(
            () =>
            {
                using Stranger stranger = Stranger.Start(emulator.Socket, depth: 16, maps: client % 2 == 0);
                start.SignalAndWait();
                for (int round = 0; round < 6; round++)
                {
                    StrangerKey key = StrangerKey.OfBits((client + round) % 3 == 0 ? 2048 : 1024);
                    byte[] input = key.Input();
                    (uint algorithm, byte[] block) = round % 2 == 0 ? (1u, key.Crt) : (0u, key.Private);
                    block.CopyTo(stranger.Memory.Span[KeyAt..]);
                    input.CopyTo(stranger.Memory.Span[InputAt..]);
                    stranger.Submit(algorithm, key.TaskLength, KeyAt, InputAt, OutputAt, (ulong)round);
                    key.Primes.CopyTo(stranger.Memory.Span[(KeyAt + Step)..]);
                    stranger.Submit(3, key.TaskLength, KeyAt + Step, -1, OutputAt + Step, (ulong)round + 100);
                    stranger.Ring(posted: round % 2 == 1);
                    Assert.Equal(new StrangerResult(algorithm, 0, 0, 3, (ulong)round), stranger.Reap());
                    Assert.Equal(new StrangerResult(3, 0, 0, 3, (ulong)round + 100), stranger.Reap());
                    Assert.Equal(key.PrivatePower(input), stranger.Memory.Span.Slice(OutputAt, key.Bytes).ToArray());
                    Assert.Equal(key.Made, stranger.Memory.Span.Slice(OutputAt + Step, key.Made.Length).ToArray());
                }

                return stranger.Number;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        output.WriteLine($"queues {string.Join(", ", numbers)}");
        Assert.Equal(Strangers, numbers.Distinct().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Stop_or_reset_while_operations_are_pending_forgets_them(bool reset)
    {
        StrangerKey key = StrangerKey.OfBits(4096);
        using Stranger stranger = Stranger.Start(emulator.Socket, depth: 16, maps: true);
        byte[] input = key.Input();
        key.Private.CopyTo(stranger.Memory.Span[KeyAt..]);
        input.CopyTo(stranger.Memory.Span[InputAt..]);
        for (int i = 0; i < 15; i++)
        {
            stranger.Submit(0, key.TaskLength, KeyAt, InputAt, OutputAt + (i * Step), (ulong)i);
        }

        stranger.Ring(posted: true);
        if (reset)
        {
            Assert.Equal(0, stranger.Error(13, []));
            Assert.Equal(1024u, stranger.ReadRegister(0x1c));
        }
        else
        {
            stranger.Stop();
        }

        // From here on nothing of them is written: neither outputs nor completions.
        Assert.Equal((1u, 1u), stranger.StopWords());
        Assert.Equal(1u, stranger.ReadRegister(0x2c));
        stranger.Memory.Span[OutputAt..].Fill(0xa5);
        stranger.WriteRegister(0x1c, 16);
        stranger.Start();
        Assert.Equal((0u, 0u), stranger.StopWords());
        Assert.Equal(2u, stranger.ReadRegister(0x2c));
        byte[] expected = key.PrivatePower(input);
        for (int round = 0; round < 3; round++)
        {
            stranger.Submit(0, key.TaskLength, KeyAt, InputAt, OutputAt, (ulong)round);
            stranger.Ring();
            Assert.Equal(new StrangerResult(0, 0, 0, 3, (ulong)round), stranger.Reap());
            Assert.Equal(expected, stranger.Memory.Span.Slice(OutputAt, key.Bytes).ToArray());
        }

        Assert.Equal(-1, stranger.Memory.Span.Slice(OutputAt + key.Bytes, 15 * Step - key.Bytes).IndexOfAnyExcept((byte)0xa5));
    }

    [Fact]
    public void What_the_device_does_not_compute_ends_done_with_an_error_and_the_next_operation_is_right()
    {
        StrangerKey key = StrangerKey.OfBits(1024);
        using Stranger stranger = Stranger.Start(emulator.Socket, depth: 64, maps: true);
        byte[] input = key.Input();
        key.Crt.CopyTo(stranger.Memory.Span[KeyAt..]);
        input.CopyTo(stranger.Memory.Span[InputAt..]);
        stranger.Memory.Span[OutputAt..].Fill(0xa5);

        // Diffie-Hellman and up, and what no hardware has; then sizes of 8, 512, 1536, 2040 and 2048 bytes; then an SQE that says it is done.
        (uint Algorithm, int TaskLength, uint Done)[] wrong =
        [
            .. Enumerable.Range(4, 28).Select(algorithm => ((uint)algorithm, 15, 1u)),
            .. ((int[])[0, 7, 23, 254, 255]).SelectMany(length => ((uint[])[0, 1, 2, 3]).Select(algorithm => (algorithm, length, 1u))),
            (1, 15, 0), (1, 15, 2), (1, 15, 3),
        ];
        foreach ((uint algorithm, int taskLength, uint done) in wrong)
        {
            stranger.Submit(algorithm, taskLength, KeyAt, InputAt, OutputAt, ~(ulong)algorithm, done);
            stranger.Ring();
            Assert.Equal(new StrangerResult(algorithm, 1, 0, 3, ~(ulong)algorithm), stranger.Reap());
        }

        Assert.Equal(-1, stranger.Memory.Span[OutputAt..].IndexOfAnyExcept((byte)0xa5));
        stranger.Submit(1, key.TaskLength, KeyAt, InputAt, OutputAt, 1);
        stranger.Ring();
        Assert.Equal(new StrangerResult(1, 0, 0, 3, 1), stranger.Reap());
        Assert.Equal(key.PrivatePower(input), stranger.Memory.Span.Slice(OutputAt, key.Bytes).ToArray());
    }

    [Fact]
    public void Wrong_numbers_end_with_an_error_and_write_nothing()
    {
        StrangerKey key = StrangerKey.OfBits(2048);
        using Stranger stranger = Stranger.Start(emulator.Socket, depth: 8, maps: false);
        Span<byte> memory = stranger.Memory.Span;
        memory[OutputAt..].Fill(0xa5);
        const int End = Stranger.MemoryBytes;

        // Address: a key, an input, an output and a made key that leave the memory by one byte. Key: zeros, and e that has no inverse.
        key.Crt.CopyTo(memory[KeyAt..]);
        key.Primes.CopyTo(memory[(KeyAt + Step)..]);
        memory[KeyAt + Step + key.Bytes - 1] = 2;
        (uint Algorithm, int Key, int Input, int Output, uint Error)[] wrong =
        [
            (1, End - (5 * key.Bytes / 2) + 1, InputAt, OutputAt, 2), (1, KeyAt, End - key.Bytes + 1, OutputAt, 2), (1, KeyAt, InputAt, End - key.Bytes + 1, 2),
            (2, KeyAt, -1, End - (2 * key.Bytes) + 1, 2), (3, KeyAt, -1, End - (7 * key.Bytes / 2) + 1, 2),
            (0, 0x3000, InputAt, OutputAt, 3), (1, 0x3000, InputAt, OutputAt, 3), (2, 0x3000, -1, OutputAt, 3), (3, 0x3000, -1, OutputAt, 3),
            (2, KeyAt + Step, -1, OutputAt, 3), (3, KeyAt + Step, -1, OutputAt, 3),
            (1, KeyAt, OutputAt, OutputAt, 4),
        ];
        foreach ((uint algorithm, int keyAt, int inputAt, int outputAt, uint error) in wrong)
        {
            // The input of the last is all ones at first: not below n.
            if (error == 4)
            {
                memory.Slice(OutputAt, key.Bytes).Fill(0xff);
            }

            stranger.Submit(algorithm, key.TaskLength, keyAt, inputAt, outputAt, error);
            stranger.Ring();
            Assert.Equal(new StrangerResult(algorithm, error, 0, 3, error), stranger.Reap());
        }

        Assert.Equal(-1, memory.Slice(OutputAt, key.Bytes).IndexOfAnyExcept((byte)0xff));
        Assert.Equal(-1, memory[(OutputAt + key.Bytes)..].IndexOfAnyExcept((byte)0xa5));
    }

    [Fact]
    public void Doorbells_of_another_queue_ring_or_index_are_ignored_and_counted()
    {
        using Stranger stranger = Stranger.Start(emulator.Socket, depth: 8, maps: true);
        using Stranger other = Stranger.Start(emulator.Socket, depth: 8, maps: true);
        ulong number = stranger.Number;
        foreach (bool posted in (bool[])[false, true])
        {
            stranger.Doorbell(other.Number | (1ul << 32), posted);
            stranger.Doorbell((number ^ 0x3ff) | (1ul << 32), posted);
            stranger.Doorbell(number | (2ul << 12) | (1ul << 32), posted);
            stranger.Doorbell(number | (0xful << 12) | (1ul << 32), posted);
            stranger.Doorbell(number | (8ul << 32), posted);
            stranger.Doorbell(number | (1ul << 12) | (0xfffful << 32), posted);
        }

        Assert.Equal((12u, 0u), (stranger.ReadRegister(0x30), other.ReadRegister(0x30)));
        Assert.Equal((2u, 2u), (stranger.ReadRegister(0x2c), other.ReadRegister(0x2c)));
    }

    [Fact]
    public void Completion_doorbell_with_the_flag_has_the_next_completion_interrupt()
    {
        StrangerKey key = StrangerKey.OfBits(1024);
        using Stranger stranger = Stranger.Start(emulator.Socket, depth: 8, maps: true);
        int interrupt = NewEventFd();
        try
        {
            Assert.Equal(0, stranger.Error(8, Bytes(20u, 0x24u, 0u, 0u, 1u), interrupt));
            key.Crt.CopyTo(stranger.Memory.Span[KeyAt..]);
            key.Input().CopyTo(stranger.Memory.Span[InputAt..]);
            stranger.Doorbell(stranger.Number | (1ul << 12) | (1ul << 48), posted: false);
            stranger.Submit(1, key.TaskLength, KeyAt, InputAt, OutputAt, 7);
            stranger.Ring(posted: true);
            AwaitReadable(interrupt);
            Assert.Equal(1ul, TakeSignals(interrupt));
            Assert.Equal(new StrangerResult(1, 0, 0, 3, 7), stranger.Reap());

            // Without the flag there is none.
            stranger.Submit(1, key.TaskLength, KeyAt, InputAt, OutputAt, 8);
            stranger.Ring();
            Assert.Equal(new StrangerResult(1, 0, 0, 3, 8), stranger.Reap());
            Assert.Equal(0ul, TakeSignals(interrupt));
        }
        finally
        {
            StrangerSocket.Close(interrupt);
        }
    }

    [DebianPackageFact("python3", Tool.Python)]
    public async Task Script_of_a_hundred_lines_has_an_operation_computed()
    {
        ToolResult result = await Tool.RunAsync(
            Tool.Python, ["-B", Executable.RepositoryFile("tests/EndToEnd/Strangers/stranger.py"), emulator.Socket], limit: TimeSpan.FromMinutes(2));
        output.WriteLine(result.ToString());
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("right", result.Output, StringComparison.Ordinal);
    }
}
