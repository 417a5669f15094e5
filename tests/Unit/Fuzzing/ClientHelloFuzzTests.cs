using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tls;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Fuzzing;

/// <summary>
/// The reading of ClientHellos against <see cref="SlowClientHello"/>, in any fragmentation.
/// <c>WARP_FUZZ_INPUTS=1000000 dotnet test tests/Unit -c Release --filter Fuzzing</c>; WARP_FUZZ_SEED repeats a failure.
/// </summary>
public sealed class ClientHelloFuzzTests(ITestOutputHelper output)
{
    private const int InputsForEveryone = 50_000;
    private const int InputsOfARound = 1000;

    // The greatest message ends in a record of the greatest size, and each record has a header.
    private const int MostBytesToWaitFor = ClientHello.MaxBytes + (16 * 1024) + (5 * ClientHello.MaxRecords);

    public static TheoryData<string> Corpus() =>
        [.. Directory.EnumerateFiles(CorpusFolder(), "*.hex").Select(static path => Path.GetFileNameWithoutExtension(path)).Order()];

    [Fact]
    public void Any_bytes_are_read_as_the_slow_parser_reads_them()
    {
        int inputs = Setting("WARP_FUZZ_INPUTS") ?? InputsForEveryone;
        int first = Setting("WARP_FUZZ_SEED") ?? 1;
        var seen = new Dictionary<string, int>();
        for (int round = 0; round * InputsOfARound < inputs; round++)
        {
            var generator = new HelloGenerator(first + round);
            for (int i = 0; i < InputsOfARound; i++)
            {
                byte[] bytes = generator.Next();
                string? failure = Check(bytes, generator, seen);
                Assert.True(
                    failure is null,
                    $"WARP_FUZZ_SEED={first + round} WARP_FUZZ_INPUTS={InputsOfARound} repeats this: input {i}: {failure}\n{Convert.ToHexString(bytes)}");
            }
        }

        foreach ((string what, int count) in seen.OrderBy(static entry => entry.Key))
        {
            output.WriteLine($"{count,9} {what}");
        }

        // The generator reaches every answer; a change that made it blind would be seen here.
        Assert.Equal(4, seen.Keys.Count(static what => what.StartsWith("hello ", StringComparison.Ordinal)));
        Assert.Equal(4, seen.Keys.Count(static what => what.StartsWith("name ", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void Bytes_of_the_corpus_are_read_as_the_slow_parser_reads_them_cut_anywhere(string name)
    {
        byte[] bytes = Convert.FromHexString(File.ReadAllText(Path.Combine(CorpusFolder(), name + ".hex")).Trim());
        for (int seed = 0; seed < 50; seed++)
        {
            Assert.Null(Check(bytes, new HelloGenerator(seed), []));
        }

        (ClientHelloState[] states, _) = SlowClientHello.Inspect(bytes);
        for (int length = 0; length <= Math.Min(bytes.Length, 3000); length++)
        {
            Assert.Equal((length, states[length]), (length, ClientHello.Inspect(new ReadOnlySequence<byte>(bytes, 0, length))));
        }
    }

    [Fact]
    public void No_more_is_waited_for_than_the_longest_message_can_take()
    {
        // Each record but the last of the least size that lets the message be whole within the most records, and the last of the greatest.
        byte[] message = HelloBytes.WithHeader(new byte[ClientHello.MaxBytes - 4]);
        byte[] bytes = [.. HelloBytes.Records(message[..^1]), 22, 3, 1, .. HelloBytes.Length(16 * 1024), .. new byte[16 * 1024]];
        int waited = 0;
        while (waited < bytes.Length && ClientHello.Inspect(new ReadOnlySequence<byte>(bytes, 0, waited)) == ClientHelloState.Incomplete)
        {
            waited += 97;
        }

        Assert.InRange(waited, ClientHello.MaxBytes, MostBytesToWaitFor);
    }

    private static string? Check(byte[] bytes, HelloGenerator generator, Dictionary<string, int> seen)
    {
        (ClientHelloState[] states, byte[] message) = SlowClientHello.Inspect(bytes);
        ClientHelloState state = states[^1];
        seen[$"hello {state}"] = seen.GetValueOrDefault($"hello {state}") + 1;
        for (int i = 0; i < 4; i++)
        {
            // Whole once, then beginnings of it.
            int length = i == 0 ? bytes.Length : generator.Number(bytes.Length + 1);
            byte[] beginning = bytes[..length];
            int[] cuts = generator.Cuts(length);
            ClientHelloState read = ClientHello.Inspect(HelloBytes.Segments(beginning, cuts));
            if (read != states[length])
            {
                return $"{length} bytes are {read}; they are {states[length]}";
            }

            if (read == ClientHelloState.Incomplete && length >= MostBytesToWaitFor)
            {
                return $"more is waited for after {length} bytes";
            }
        }

        if (state != ClientHelloState.Complete)
        {
            return null;
        }

        (ClientHelloNameState State, string? Name) right = SlowClientHello.ReadName(message);
        seen[$"name {right.State}"] = seen.GetValueOrDefault($"name {right.State}") + 1;
        for (int i = 0; i < 2; i++)
        {
            ClientHelloNameState read = ClientHelloName.Read(HelloBytes.Segments(bytes, generator.Cuts(bytes.Length)), out string? name);
            if ((read, name) != right)
            {
                return $"the name is {read} '{name}'; it is {right.State} '{right.Name}'";
            }
        }

        return null;
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : null;

    private static string CorpusFolder([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "corpus");
}
