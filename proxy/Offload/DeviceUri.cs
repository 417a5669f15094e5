using System.Diagnostics.CodeAnalysis;
using System.Text;
using WarpDrive.Driver.Devices;

namespace WarpProxy.Offload;

/// <summary>What stands behind a <see cref="DeviceUri"/>.</summary>
internal enum DeviceKind
{
    /// <summary>No device: software only.</summary>
    None,

    /// <summary>The emulated device inside this process.</summary>
    Embedded,

    /// <summary>An emulated device behind a Unix socket.</summary>
    Emulator,

    /// <summary>Hardware, through the kernel's UACCE framework.</summary>
    Uacce,

    /// <summary>A mediated device, through the kernel's VFIO.</summary>
    Mdev,
}

/// <summary>Names an accelerator: <c>embedded:</c>, <c>emulator:/path/to.sock</c>, <c>uacce:hisi_hpre-0</c>, <c>uacce:auto</c>, <c>mdev:UUID</c> or <c>none</c>.</summary>
internal sealed record DeviceUri(DeviceKind Kind, string SocketPath)
{
    // sizeof(sockaddr_un.sun_path) less the final zero.
    private const int MaxSocketPathBytes = 107;

    /// <summary>All that a device can be, for messages.</summary>
    public const string Choices = "embedded:, emulator:/path/to.sock, uacce:auto, uacce:NAME of a device in /sys/class/uacce, mdev:UUID,";

    /// <summary>Of a device of the kernel: <c>hisi_hpre-0</c>, <c>auto</c>, or a UUID; else empty.</summary>
    public string Name { get; init; } = "";

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        DeviceKind.Embedded => "embedded:",
        DeviceKind.Emulator => $"emulator:{SocketPath}",
        DeviceKind.Uacce => $"{UacceEndpoint.Scheme}{Name}",
        DeviceKind.Mdev => $"{MdevDescription.Scheme}{Name}",
        _ => "none",
    };

    /// <summary>Parses one; <paramref name="problem"/> is a sentence.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out DeviceUri? uri, out string problem)
    {
        uri = null;
        problem = "";
        const string EmulatorScheme = "emulator:";
        if (text == "none")
        {
            uri = new DeviceUri(DeviceKind.None, "");
        }
        else if (text == "embedded:")
        {
            uri = new DeviceUri(DeviceKind.Embedded, "");
        }
        else if (text.StartsWith(UacceEndpoint.Scheme, StringComparison.Ordinal))
        {
            string name = text[UacceEndpoint.Scheme.Length..];
            uri = IsFileName(name) ? new DeviceUri(DeviceKind.Uacce, "") { Name = name } : null;
            problem = uri is null ? $"Device '{text}' has the name '{name}'; it must be that of a device in /sys/class/uacce, such as hisi_hpre-0, or auto." : "";
        }
        else if (text.StartsWith(MdevDescription.Scheme, StringComparison.Ordinal))
        {
            string name = text[MdevDescription.Scheme.Length..];
            uri = MdevDescription.TryParseUuid(name, out string uuid) ? new DeviceUri(DeviceKind.Mdev, "") { Name = uuid } : null;
            problem = uri is null ? $"Device '{text}' has the UUID '{name}'; it must be that of a mediated device, 8-4-4-4-12 hexadecimal digits." : "";
        }
        else if (!text.StartsWith(EmulatorScheme, StringComparison.Ordinal))
        {
            problem = $"Device '{text}' is unknown; it must be {Choices} or none.";
        }
        else
        {
            string path = text[EmulatorScheme.Length..];
            int pathBytes = Encoding.UTF8.GetByteCount(path);
            if (!path.StartsWith('/'))
            {
                problem = $"Device '{text}' has the socket path '{path}'; it must be absolute.";
            }
            else if (pathBytes > MaxSocketPathBytes)
            {
                problem = $"Device '{text}' has a socket path of {pathBytes} bytes; Linux allows {MaxSocketPathBytes}.";
            }
            else
            {
                uri = new DeviceUri(DeviceKind.Emulator, path);
            }
        }

        return uri is not null;
    }

    private static bool IsFileName(string name) =>
        name.Length > 0 && name[0] != '.' && name.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or ':');
}
