using System.ComponentModel.DataAnnotations;
using System.Numerics;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpProxy.Offload;

/// <summary>Which way private-key operations go.</summary>
internal enum OffloadPath
{
    /// <summary>Each operation where it is expected to be done first: to a device while there is much to do, else in software.</summary>
    Auto,

    /// <summary>To a device; in software when it cannot answer.</summary>
    Device,

    /// <summary>In software, on the lane.</summary>
    Software,

    /// <summary>A share to a device and the rest in software, so that both are seen under the same traffic.</summary>
    Compare,
}

/// <summary>What computes a private-key operation that no device does.</summary>
internal enum OffloadFallback
{
    /// <summary>Software, and no client notices.</summary>
    Software,

    /// <summary>Nothing: the handshake fails, and OpenSSL never holds the private key.</summary>
    None,
}

/// <summary>Section <c>Offload</c>: the devices and how they are used.</summary>
internal sealed record OffloadOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Offload";

    private const int MaxEngines = 64;

    /// <summary>Which way private-key operations go, with keys of certificates that name no other. No device is opened when all are software.</summary>
    public OffloadPath Path { get; init; } = OffloadPath.Auto;

    /// <summary>With the path <c>compare</c>: the share of the operations that goes to a device, more than 0 and less than 1.</summary>
    public double CompareShare { get; init; } = 0.5;

    /// <summary>Share of the signatures, 0 to 1, that the other path computes too when the answer has been sent, to compare every byte. It costs what it computes.</summary>
    public double Shadow { get; init; }

    /// <summary>What computes when no device does: <c>software</c>, or <c>none</c>, with which the handshake fails. Certificates may say otherwise.</summary>
    public OffloadFallback Fallback { get; init; } = OffloadFallback.Software;

    /// <summary>Whether the start is refused when the memory of keys cannot be locked; then also software keeps keys in locked memory only.</summary>
    public bool RequireLockedMemory { get; init; }

    /// <summary>
    /// The devices: <c>embedded:</c> (emulated in this process), <c>emulator:/path/to.sock</c> (in another), <c>uacce:auto</c>, <c>uacce:NAME</c> or <c>mdev:UUID</c> (hardware), or <c>none</c> alone (software only).
    /// </summary>
    public IReadOnlyList<string> Devices { get; init; } = ["embedded:"];

    /// <summary>Entries of each ring, a power of two between 2 and 1024.</summary>
    public int Depth { get; init; } = 16;

    /// <summary>Queue pairs opened on each device. A lane uses one at a time, so fewer than <c>Tls:Lanes</c> send the rest to software.</summary>
    public int QueuesPerDevice { get; init; } = 16;

    /// <summary>The longest an RSA-2048 operation may take on a device; then it is computed in software. Longer keys get more.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>When a device that fails gets no work, and for how long.</summary>
    public BreakerOptions Breaker { get; init; } = new();

    /// <summary>Where the files of devices are, an absolute path.</summary>
    public string DevDirectory { get; init; } = DeviceTree.Default.DevDirectory;

    /// <summary>Where the kernel describes devices, an absolute path.</summary>
    public string SysDirectory { get; init; } = DeviceTree.Default.SysDirectory;

    /// <summary>Engine threads of the embedded device; by default one for each processor.</summary>
    public int? Engines { get; init; }

    /// <summary>What computes in the embedded device.</summary>
    public EngineKind Engine { get; init; } = EngineKind.Auto;

    /// <summary>Both directories.</summary>
    internal DeviceTree Tree => new(DevDirectory, SysDirectory);

    /// <summary>How many there are when <see cref="Engines"/> is left out.</summary>
    internal static int DefaultEngines => Math.Min(Environment.ProcessorCount, MaxEngines);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (EngineChoice.FindObstacle(Engine) is { } obstacle)
        {
            yield return new($"Offload:Engine is {Engine.ToString().ToLowerInvariant()}, which {obstacle}.", [nameof(Engine)]);
        }

        if (Depth is < 2 or > 1024 || !BitOperations.IsPow2(Depth))
        {
            yield return new($"Offload:Depth is {Depth}; it must be a power of two between 2 and 1024.", [nameof(Depth)]);
        }

        if (QueuesPerDevice is < 1 or > 64)
        {
            yield return new($"Offload:QueuesPerDevice is {QueuesPerDevice}; it must be between 1 and 64.", [nameof(QueuesPerDevice)]);
        }

        if (Deadline < TimeSpan.FromMilliseconds(1) || Deadline > TimeSpan.FromSeconds(10))
        {
            yield return new($"Offload:Deadline is {Deadline:c}; it must be between 00:00:00.001 and 00:00:10.", [nameof(Deadline)]);
        }

        if (Engines is < 1 or > MaxEngines)
        {
            yield return new($"Offload:Engines is {Engines}; it must be between 1 and {MaxEngines}.", [nameof(Engines)]);
        }

        foreach ((string name, string directory) in ((string, string)[])[(nameof(DevDirectory), DevDirectory), (nameof(SysDirectory), SysDirectory)])
        {
            if (!directory.StartsWith('/'))
            {
                yield return new($"Offload:{name} is '{directory}'; it must be an absolute path.", [name]);
            }
        }

        if (!(CompareShare is > 0 and < 1))
        {
            yield return new(FormattableString.Invariant($"Offload:CompareShare is {CompareShare}; it must be more than 0 and less than 1."), [nameof(CompareShare)]);
        }

        if (!(Shadow is >= 0 and <= 1))
        {
            yield return new(FormattableString.Invariant($"Offload:Shadow is {Shadow}; it must be between 0 and 1."), [nameof(Shadow)]);
        }

        if (Fallback == OffloadFallback.None && (Path is OffloadPath.Software or OffloadPath.Compare))
        {
            yield return new($"Offload:Fallback is none, but Offload:Path is {Path.ToString().ToLowerInvariant()}; with that path it must be software.", [nameof(Fallback)]);
        }

        if (Fallback == OffloadFallback.None && Shadow > 0)
        {
            yield return new(FormattableString.Invariant($"Offload:Fallback is none, but Offload:Shadow is {Shadow}; software would compute, so that it must be 0."), [nameof(Shadow)]);
        }

        if (Fallback == OffloadFallback.None && Devices is ["none"])
        {
            yield return new("Offload:Fallback is none, but Offload:Devices is none; without a device it must be software.", [nameof(Fallback)]);
        }

        if (Devices.Count == 0)
        {
            yield return new($"Offload:Devices is empty; it must have {DeviceUri.Choices} or none for software only.", [nameof(Devices)]);
        }

        foreach (string device in Devices)
        {
            if (!DeviceUri.TryParse(device, out DeviceUri? uri, out string problem))
            {
                yield return new(problem, [nameof(Devices)]);
            }
            else if (uri.Kind == DeviceKind.None && Devices.Count > 1)
            {
                yield return new($"Offload:Devices has 'none' among {Devices.Count} devices; it must stand alone.", [nameof(Devices)]);
            }
        }

        foreach (string twice in Devices.GroupBy(device => device).Where(group => group.Count() > 1).Select(group => group.Key))
        {
            yield return new($"Offload:Devices has '{twice}' more than once; each device must be named once.", [nameof(Devices)]);
        }
    }

    /// <summary>The devices, after validation; to be opened when any key goes to them.</summary>
    public IReadOnlyList<DeviceUri> ParseDevices() =>
        [.. Devices.Select(Parse).Where(uri => uri.Kind != DeviceKind.None)];

    private static DeviceUri Parse(string text) =>
        DeviceUri.TryParse(text, out DeviceUri? uri, out string problem) ? uri : throw new InvalidOperationException(problem);
}
