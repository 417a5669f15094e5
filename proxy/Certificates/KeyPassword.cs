using System.Security.Cryptography;
using System.Text;
using WarpProxy.Configuration;

namespace WarpProxy.Certificates;

/// <summary>The password of a key file, UTF-8, zeroed when disposed. Empty when none was given.</summary>
internal sealed class KeyPassword : IDisposable
{
    /// <summary>The variable that holds it when there is no file.</summary>
    public const string EnvironmentVariable = "WARPPROXY_KEY_PASSWORD";

    private readonly byte[] _bytes;
    private readonly int _length;

    private KeyPassword(byte[] bytes, int length)
    {
        _bytes = bytes;
        _length = length;
    }

    /// <summary>The password.</summary>
    public ReadOnlySpan<byte> Value => _bytes.AsSpan(0, _length);

    /// <summary>Reads it from the file, else from the environment.</summary>
    /// <exception cref="BadInputException">The file cannot be read or is empty.</exception>
    public static KeyPassword Read(string? file)
    {
        if (file is null)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable(EnvironmentVariable) ?? "");
            return new KeyPassword(bytes, bytes.Length);
        }

        using PemFile content = PemFile.Read(file, "Key password file");
        int length = content.Bytes.IndexOfAny((byte)'\r', (byte)'\n');
        length = length < 0 ? content.Bytes.Length : length;
        return length > 0
            ? new KeyPassword(content.Bytes.ToArray(), length)
            : throw new BadInputException($"Key password file '{file}' has an empty first line; it must be the password.");
    }

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);
}
