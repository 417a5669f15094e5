using System.Text;
using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpProxy.Configuration;

namespace WarpProxy.Certificates;

/// <summary>The password of a key file, UTF-8, in locked memory that is not dumped, zeroed when disposed. Empty when none was given.</summary>
internal sealed class KeyPassword : IDisposable
{
    /// <summary>The variable that holds it when there is no file.</summary>
    public const string EnvironmentVariable = "WARPPROXY_KEY_PASSWORD";

    private static readonly SecretArena Secrets = new();

    private readonly SecretBlock? _bytes;

    private KeyPassword(SecretBlock? bytes) => _bytes = bytes;

    /// <summary>The password.</summary>
    public ReadOnlySpan<byte> Value => _bytes is null ? [] : _bytes.GetSpan();

    /// <summary>Reads it from the file, else from the environment.</summary>
    /// <exception cref="BadInputException">The file cannot be read or is empty.</exception>
    public static KeyPassword Read(string? file)
    {
        if (file is null)
        {
            string password = Environment.GetEnvironmentVariable(EnvironmentVariable) ?? "";
            if (password.Length == 0)
            {
                return new KeyPassword(null);
            }

            int count = Encoding.UTF8.GetByteCount(password);
            if (count > SecretArena.ChunkBytes)
            {
                throw new BadInputException($"{EnvironmentVariable} has {count} bytes; a password may have {PrivateKeyPem.MaxPasswordBytes}.");
            }

            SecretBlock bytes = Secrets.Take(count);
            Encoding.UTF8.GetBytes(password, bytes.GetSpan());
            return new KeyPassword(bytes);
        }

        using PemFile content = PemFile.Read(file, "Key password file");
        int length = content.Bytes.IndexOfAny((byte)'\r', (byte)'\n');
        length = length < 0 ? content.Bytes.Length : length;
        if (length == 0)
        {
            throw new BadInputException($"Key password file '{file}' has an empty first line; it must be the password.");
        }

        if (length > SecretArena.ChunkBytes)
        {
            throw new BadInputException($"Key password file '{file}' has {length} bytes in its first line; a password may have {PrivateKeyPem.MaxPasswordBytes}.");
        }

        SecretBlock line = Secrets.Take(length);
        content.Bytes[..length].CopyTo(line.GetSpan());
        return new KeyPassword(line);
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes?.Dispose();
}
