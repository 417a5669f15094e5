namespace WarpDrive.Driver.Paths;

/// <summary>What is expected of each path for keys of one size, as it is now.</summary>
/// <param name="Bits">Of the modulus.</param>
/// <param name="Load">Operations under way, evened out.</param>
/// <param name="PrefersDevice">Whether a device is preferred with this load, as long as it has room.</param>
/// <param name="Switches">How often that changed.</param>
/// <param name="SoftwareMicroseconds">Processor time of an operation in software; 0 when none was measured.</param>
/// <param name="SoftwareExpectedMicroseconds">When an operation that began now would be done in software.</param>
/// <param name="Devices">Those that were measured.</param>
public sealed record PathStatus(
    int Bits,
    double Load,
    bool PrefersDevice,
    int Switches,
    double SoftwareMicroseconds,
    double SoftwareExpectedMicroseconds,
    IReadOnlyList<DevicePathStatus> Devices);

/// <summary>What is expected of one device for keys of one size.</summary>
/// <param name="Uri">As configured.</param>
/// <param name="ExpectedMicroseconds">When an operation that began now would be done; of a device that computes on the processors of this process, if all
/// operations went there.</param>
/// <param name="AnswerMicroseconds">Measured, from posting to the checked result, by the number in flight: <c>"1"</c>, <c>"9-12"</c>.</param>
/// <param name="WorkMicroseconds">Processor time of an operation by the load, of a device that computes on the processors of this process; else null.</param>
public sealed record DevicePathStatus(
    string Uri,
    double ExpectedMicroseconds,
    IReadOnlyDictionary<string, double> AnswerMicroseconds,
    IReadOnlyDictionary<string, double>? WorkMicroseconds);
