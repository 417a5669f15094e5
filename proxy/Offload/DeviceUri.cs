using System.Diagnostics.CodeAnalysis;
using System.Text;

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
}

/// <summary>Names an accelerator: <c>embedded:</c>, <c>emulator:/path/to.sock</c> or <c>none</c>.</summary>
internal sealed record DeviceUri(DeviceKind Kind, string SocketPath)
{
    // sizeof(sockaddr_un.sun_path) less the final zero.
    private const int MaxSocketPathBytes = 107;

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        DeviceKind.Embedded => "embedded:",
        DeviceKind.Emulator => $"emulator:{SocketPath}",
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
        else if (!text.StartsWith(EmulatorScheme, StringComparison.Ordinal))
        {
            problem = $"Device '{text}' is unknown; it must be embedded:, emulator:/path/to.sock or none.";
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
}
