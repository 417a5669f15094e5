using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Emulator;

namespace WarpProxy.LoadTest.Rings;

/// <summary>The emulated device with one engine that only copies and does not sleep while there is work.</summary>
internal static class RingsDevice
{
    public static EmulatorOptions Options { get; } = new()
    {
        EngineCount = 1,
        SpinTime = TimeSpan.FromMilliseconds(1), // the device of the other cases must not take a core meanwhile
        SelfTest = false, // a copy is not RSA
    };

    public static EmulatedAccelerator Create() => new(Options, static () => new CopyEngine(), NullLogger.Instance);
}
