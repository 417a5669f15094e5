using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Emulator;

namespace WarpProxy.LoadTest.Rings;

/// <summary>The emulated device with one engine that only copies and never sleeps while there is work.</summary>
internal static class RingsDevice
{
    public static EmulatedAccelerator Create() => new(
        new EmulatorOptions
        {
            EngineCount = 1,
            SpinTime = TimeSpan.FromSeconds(1),
            SelfTest = false, // a copy is not RSA
        },
        static () => new CopyEngine(),
        NullLogger.Instance);
}
