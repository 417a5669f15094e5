using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Emulator;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>
/// A client that does all right, beside others that do not: each operation must give the right answer, and nothing of its memory may show in theirs. For a device
/// with <see cref="Engine"/>.
/// </summary>
internal sealed class Witness : IDisposable
{
    private const int Slots = 16;

    private readonly RingHost _host;
    private readonly EventFd _doorbell;
    private readonly byte[] _key = new byte[256];
    private readonly byte[] _input = new byte[128];
    private readonly Random _random;

    public Witness(IVfioDevice queue, int seed)
    {
        _host = new RingHost(queue);
        _doorbell = queue.GetRegionIoEventFd(3);
        _random = new Random(seed);
        _random.NextBytes(_key);
        _random.NextBytes(_input);
    }

    /// <summary>The answer to an input is its sum with the key, byte by byte: no engine's mistake can give it by chance.</summary>
    public static TestEngine Engine(int lanes) => new(lanes, batch =>
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Span<byte> output = batch.Output(i);
            batch.Input(i).CopyTo(output);
            for (int at = 0; at < output.Length; at++)
            {
                output[at] += batch.Key(i)[at];
            }

            batch[i].Status = WarpDrive.Engines.RsaStatus.Done;
        }
    });

    /// <summary>Posts some operations at once, awaits them and checks their answers.</summary>
    public void Check(int count = 1)
    {
        for (int i = 0; i < count; i++)
        {
            Span<byte> slot = _host.Slot(i % Slots);
            _key.CopyTo(slot);
            _input.CopyTo(slot[RingHost.InputAt..]);
            _host.Output(i % Slots).Clear();
            _host.Write(i % Slots);
        }

        _host.RingAndWake(_doorbell);
        for (int i = 0; i < count; i++)
        {
            int index = _host.WaitAndReap();
            Assert.Equal(0u, _host.Error(index));
        }

        for (int i = 0; i < Math.Min(count, Slots); i++)
        {
            Span<byte> output = _host.Output(i);
            for (int at = 0; at < output.Length; at++)
            {
                if (output[at] != (byte)(_input[at] + _key[at]))
                {
                    Assert.Fail($"a wrong answer: {Convert.ToHexString(output)}");
                }
            }
        }
    }

    /// <summary>Looks for key, input and answer in memory of somebody else.</summary>
    public void AssertUnknownTo(ReadOnlySpan<byte> memory)
    {
        byte[] answer = [.. _input.Zip(_key, static (input, key) => (byte)(input + key))];
        foreach (byte[] secret in (byte[][])[_key, _input, answer])
        {
            for (int at = 0; at + 8 <= secret.Length; at += 8)
            {
                Assert.Equal(-1, memory.IndexOf(secret.AsSpan(at, 8)));
            }
        }
    }

    public void Dispose()
    {
        _host.Dispose();
        _doorbell.Dispose();
    }
}
