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

    private KeyPassword(byte[] bytes) => _bytes = bytes;

    /// <summary>The password.</summary>
    public ReadOnlySpan<byte> Value => _bytes;

    /// <summary>Reads it from the file, else from the environment.</summary>
    /// <exception cref="BadInputException">The file cannot be read or is empty.</exception>
    public static KeyPassword Read(string? file)
    {
        if (file is null)
        {
            string password = Environment.GetEnvironmentVariable(EnvironmentVariable) ?? "";
            byte[] bytes = Allocate(Encoding.UTF8.GetByteCount(password));
            Encoding.UTF8.GetBytes(password, bytes);
            return new KeyPassword(bytes);
        }

        using PemFile content = PemFile.Read(file, "Key password file");
        int length = content.Bytes.IndexOfAny((byte)'\r', (byte)'\n');
        length = length < 0 ? content.Bytes.Length : length;
        if (length == 0)
        {
            throw new BadInputException($"Key password file '{file}' has an empty first line; it must be the password.");
        }

        byte[] line = Allocate(length);
        content.Bytes[..length].CopyTo(line);
        return new KeyPassword(line);
    }

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    // Pinned, so that the garbage collector leaves no copy behind.
    private static byte[] Allocate(int length) => GC.AllocateArray<byte>(length, pinned: true);
}
