using System.Globalization;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>
/// Two keys, four threads and a device that does wrong: every answer is right, the device gets no more work where it should get none, and nothing
/// is left of its queues.
/// </summary>
[Collection(Name)]
public sealed class HostileDeviceTests(ITestOutputHelper output)
{
    public const string Name = "hostile devices";

    private const int Seed = 20260101;

    public static TheoryData<string> Quarantined() => [.. Misdeeds.Quarantined.Keys];

    public static TheoryData<string> Tolerated() => [.. Misdeeds.Tolerated.Keys];

    public static TheoryData<string> Harmless() => [.. Misdeeds.Harmless.Keys];

    [Theory]
    [MemberData(nameof(Quarantined))]
    public void Answers_are_right_and_the_device_is_quarantined_after(string misdeed)
    {
        (AcceleratorError reason, Func<Misdeed> make) = Misdeeds.Quarantined[misdeed];
        using var pool = new HostilePool(make, Seed, deadline: HostilePool.Patience, quarantine: TimeSpan.FromHours(1));
        HostilePool.WaitFor(() => RunUntil(pool, reason), $"no {reason}: {pool.Counts}");
        HostilePool.WaitFor(() => pool.Pool.GetStatus().Devices[0] is { State: DeviceState.Quarantined, QueueCount: 0 }, "it is not quarantined");
        OperationCounts before = pool.Counts;
        pool.Run(2, 4);
        OperationCounts after = pool.Counts;
        Assert.Equal(before.Device, after.Device);
        Assert.Equal(before.Fallback[reason], after.Fallback[reason]);
        pool.Close();
    }

    [Theory]
    [MemberData(nameof(Tolerated))]
    public void Answers_are_right_and_the_reason_is_counted_after(string misdeed)
    {
        (AcceleratorError reason, Func<Misdeed> make) = Misdeeds.Tolerated[misdeed];
        using var pool = new HostilePool(make, Seed, HostilePool.Deadline, quarantine: TimeSpan.FromMilliseconds(1));
        HostilePool.WaitFor(() => RunUntil(pool, reason), $"no {reason}: {pool.Counts}");
        pool.Close();
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public void Answers_are_right_in_spite_of(string misdeed)
    {
        using var pool = new HostilePool(Misdeeds.Harmless[misdeed], Seed, HostilePool.Deadline, quarantine: TimeSpan.FromMilliseconds(1));
        for (int i = 0; i < 20; i++)
        {
            pool.Run(4, 10);
        }

        pool.Close();
    }

    [Fact]
    public void Hundreds_of_lives_of_devices_that_do_all_of_it_at_random()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("WARP_HOSTILE_SEED"), CultureInfo.InvariantCulture, out int given) ? given : Seed;
        int wanted = int.TryParse(Environment.GetEnvironmentVariable("WARP_HOSTILE_LIVES"), CultureInfo.InvariantCulture, out int count) ? count : 500;
        int lives = 0;
        while (lives < wanted)
        {
            output.WriteLine($"WARP_HOSTILE_SEED={seed + lives}");
            using var pool = new HostilePool(Misdeeds.Mixed, seed + lives, HostilePool.Deadline / 4, quarantine: TimeSpan.FromMilliseconds(1));
            HostilePool.WaitFor(
                () =>
                {
                    pool.Run(3, 20);
                    return pool.Devices.Count >= 100;
                },
                "the device is not opened again");
            lives += pool.Devices.Count;
            pool.Close();
        }
    }

    private static bool RunUntil(HostilePool pool, AcceleratorError reason)
    {
        pool.Run(4, 5);
        return pool.Counts.Fallback[reason] > 0;
    }
}
