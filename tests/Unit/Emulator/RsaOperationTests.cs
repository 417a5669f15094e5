using System.Numerics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Emulator;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>RSA through the rings, key blocks and numbers written by hand, against <see cref="BigInteger"/>.</summary>
public sealed class RsaOperationTests
{
    [Theory]
    [InlineData(1024, 15)]
    [InlineData(2048, 31)]
    [InlineData(3072, 47)]
    [InlineData(4096, 63)]
    public void Plain_and_crt_operations_give_the_number_that_arithmetic_gives(int bits, byte taskLength)
    {
        using var accelerator = new EmulatedAccelerator(
            new EmulatorOptions { EngineCount = 2 }, () => new ScalarEngine(), NullLogger.Instance);
        using var host = new RingHost(accelerator.OpenQueue());
        using var doorbell = host.Queue.GetRegionIoEventFd(3);
        using var rsa = RSA.Create(bits);
        RSAParameters key = rsa.ExportParameters(includePrivateParameters: true);
        int k = bits / 8;
        byte[] input = new byte[k];
        RandomNumberGenerator.Fill(input.AsSpan(1));

        // accel/README.md "SQE": plain is exponent, modulus; CRT is dq, dp, q, p, qinv.
        WriteSlot(0, [key.D!, key.Modulus!], input);
        WriteSlot(1, [key.DQ!, key.DP!, key.Q!, key.P!, key.InverseQ!], input);
        host.WriteEntry(0x4000_0000, taskLength, RingHost.SlotIova(0), RingHost.SlotIova(0) + 2048, RingHost.SlotIova(0) + 3072);
        host.WriteEntry(0x4000_0001, taskLength, RingHost.SlotIova(1), RingHost.SlotIova(1) + 2048, RingHost.SlotIova(1) + 3072);
        host.RingAndWake(doorbell);

        BigInteger expected = BigInteger.ModPow(Number(input), Number(key.D!), Number(key.Modulus!));
        for (int slot = 0; slot < 2; slot++)
        {
            Assert.Equal(slot, host.WaitAndReap());
            Assert.Equal(0u, host.Error(slot));
            Assert.Equal(expected, Number(host.Output(slot, k)));
        }

        void WriteSlot(int slot, byte[][] parts, byte[] number)
        {
            parts.SelectMany(part => part).ToArray().CopyTo(host.Slot(slot));
            number.CopyTo(host.Slot(slot)[RingHost.InputAt..]);
        }
    }

    [Theory]
    [InlineData(1024, 15)]
    [InlineData(2048, 31)]
    [InlineData(3072, 47)]
    [InlineData(4096, 63)]
    public void Keys_made_of_primes_are_those_of_OpenSSL(int bits, byte taskLength)
    {
        using var accelerator = new EmulatedAccelerator(
            new EmulatorOptions { EngineCount = 2 }, () => new ScalarEngine(), NullLogger.Instance);
        using var host = new RingHost(accelerator.OpenQueue());
        using var doorbell = host.Queue.GetRegionIoEventFd(3);
        using var rsa = RSA.Create(bits);
        RSAParameters key = rsa.ExportParameters(includePrivateParameters: true);
        int k = bits / 8;

        // accel/README.md "SQE": e, p, q; then d, n, and for algorithm 3 qinv, dq, dp.
        byte[] exponent = new byte[k];
        key.Exponent!.CopyTo(exponent.AsSpan(k - key.Exponent!.Length));
        byte[][] parts = [exponent, key.P!, key.Q!];
        byte[] block = [.. parts.SelectMany(part => part)];
        byte[][] fields = [key.D!, key.Modulus!, key.InverseQ!, key.DQ!, key.DP!];
        byte[] expected = [.. fields.SelectMany(field => field)];
        block.CopyTo(host.Slot(0));
        host.WriteEntry(0x4000_0002, taskLength, RingHost.SlotIova(0), 0, RingHost.SlotIova(1));
        host.WriteEntry(0x4000_0003, taskLength, RingHost.SlotIova(0), 0, RingHost.SlotIova(2));
        host.RingAndWake(doorbell);

        Assert.Equal((0, 0u), (host.WaitAndReap(), host.Error(0)));
        Assert.Equal((1, 0u), (host.WaitAndReap(), host.Error(1)));
        Assert.Equal(expected[..(2 * k)], host.Slot(1)[..(2 * k)].ToArray());
        Assert.Equal(expected, host.Slot(2)[..expected.Length].ToArray());
        Assert.Equal(-1, host.Slot(1)[(2 * k)..].IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, host.Slot(2)[expected.Length..].IndexOfAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(0x4000_0000u)]
    [InlineData(0x4000_0001u)]
    [InlineData(0x4000_0002u)]
    [InlineData(0x4000_0003u)]
    public void Key_of_zeros_ends_with_error_3(uint control)
    {
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions(), () => new ScalarEngine(), NullLogger.Instance);
        using var host = new RingHost(accelerator.OpenQueue());
        using var doorbell = host.Queue.GetRegionIoEventFd(3);
        host.WriteEntry(control, 31, RingHost.SlotIova(0), RingHost.SlotIova(1), RingHost.SlotIova(2));
        host.RingAndWake(doorbell);
        Assert.Equal(3u, host.Error(host.WaitAndReap()));
    }

    [Fact]
    public void Input_that_equals_the_modulus_ends_with_error_4()
    {
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions(), () => new ScalarEngine(), NullLogger.Instance);
        using var host = new RingHost(accelerator.OpenQueue());
        using var doorbell = host.Queue.GetRegionIoEventFd(3);
        host.Slot(0)[..256].Fill(0xff);
        host.WriteEntry(0x4000_0000, 15, RingHost.SlotIova(0), RingHost.SlotIova(0), RingHost.SlotIova(2));
        host.RingAndWake(doorbell);
        Assert.Equal(4u, host.Error(host.WaitAndReap()));
    }

    [Fact]
    public void Accelerator_without_an_engine_that_computes_right_has_dead_queues_only()
    {
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 2 }, () => new TestEngine(), NullLogger.Instance);
        Assert.Equal((0, "test"), (accelerator.EngineCount, accelerator.EngineName));
        using var host = new RingHost(accelerator.OpenQueue(), start: false);
        Assert.Equal((0u, 1u, 1u), (host.ReadRegister(0x2c), host.StopSending, host.StopReceiving));
        AssertCannotStart(22);

        // A reset leads out of it, and the next start back.
        host.Queue.Reset();
        Assert.Equal(1u, host.ReadRegister(0x2c));
        AssertCannotStart(19);
        Assert.Equal((0u, 1u, 1u), (host.ReadRegister(0x2c), host.StopSending, host.StopReceiving));

        void AssertCannotStart(int error) => Assert.Equal(
            error, Assert.Throws<WarpDrive.Linux.LinuxException>(() => host.WriteRegister(0x28, 1)).Error);
    }

    [Fact]
    public void Engine_that_fails_its_test_is_disposed_and_the_others_serve()
    {
        var wrong = new TestEngine();
        var engines = new Queue<IRsaEngine>([wrong, new TestEngine(execute: _ => throw new InvalidOperationException("broken")), new ScalarEngine()]);
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 3 }, engines.Dequeue, NullLogger.Instance);
        Assert.Equal(1, accelerator.EngineCount);
        Assert.True(wrong.IsDisposed);
        using var host = new RingHost(accelerator.OpenQueue());
        Assert.Equal(2u, host.ReadRegister(0x2c));
        Assert.Equal(1u, host.ReadRegister(0x34));
    }

    private static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
