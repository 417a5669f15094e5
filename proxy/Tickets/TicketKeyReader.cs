using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;

namespace WarpProxy.Tickets;

/// <summary>
/// Reads session ticket keys out of files into one set, in the order of reading: the oldest first. What it holds of them is zeroed when it is
/// disposed. One thread.
/// </summary>
/// <remarks>
/// A file is one key of 80 bytes (<c>openssl rand 80</c>, as for nginx), or text with a key in each line, in base64 (as for HAProxy).
/// </remarks>
internal sealed class TicketKeyReader : IDisposable
{
    private const int MaxFileBytes = 16 * 1024;
    private const int Aes128KeyBytes = 48;      // what nginx and HAProxy take as well

    // Pinned, so that the garbage collector leaves no copies behind.
    private readonly byte[] _keys = GC.AllocateArray<byte>(TlsTicketKeys.MaxCount * TlsTicketKeys.KeyBytes, pinned: true);
    private readonly byte[] _file = GC.AllocateArray<byte>(MaxFileBytes + 1, pinned: true);
    private readonly byte[] _decoded = GC.AllocateArray<byte>(MaxFileBytes, pinned: true);
    private readonly List<string> _origins = [];        // of each key

    /// <summary>How many keys were read so far.</summary>
    public int Count => _origins.Count;

    /// <summary>Reads the keys of a file.</summary>
    /// <exception cref="BadInputException">It cannot be read, holds something else, or there are too many keys or two of one name.</exception>
    public void Read(string path)
    {
        ReadOnlySpan<byte> bytes = ReadBytes(path);
        switch (bytes.Length)
        {
            case TlsTicketKeys.KeyBytes:
                Add(bytes, path);
                break;
            case Aes128KeyBytes:
                throw new BadInputException(
                    $"Ticket key file '{path}' has {Aes128KeyBytes} bytes, a key for AES-128; it must have {TlsTicketKeys.KeyBytes}, for AES-256: openssl rand {TlsTicketKeys.KeyBytes}.");
            default:
                ReadLines(bytes, path);
                break;
        }
    }

    /// <summary>
    /// The set of all keys that were read, at least one. The last but one encrypts; the last is known before any server encrypts with it, so that servers need
    /// not change at the same moment (HAProxy's rule). A key that is alone encrypts.
    /// </summary>
    public TlsTicketKeys CreateSet() => new(_keys.AsSpan(0, Count * TlsTicketKeys.KeyBytes), Math.Max(Count - 2, 0));

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_keys);
        CryptographicOperations.ZeroMemory(_file);
        CryptographicOperations.ZeroMemory(_decoded);
    }

    private ReadOnlySpan<byte> ReadBytes(string path)
    {
        try
        {
            // Without a buffer of its own, in which a copy of the keys would stay. The length is not asked for: a pipe has none.
            using var stream = new FileStream(path, new FileStreamOptions { BufferSize = 0 });
            int length = stream.ReadAtLeast(_file, _file.Length, throwOnEndOfStream: false);
            return length <= MaxFileBytes
                ? _file.AsSpan(0, length)
                : throw new BadInputException($"Ticket key file '{path}' has more than {MaxFileBytes} bytes; at most that many are read.");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"Ticket key file '{path}' does not exist.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            string reason = Directory.Exists(path) ? "it is a directory" : exception is UnauthorizedAccessException ? "permission denied" : exception.Message.TrimEnd('.');
            throw new BadInputException($"Ticket key file '{path}' cannot be read: {reason}.", exception);
        }
    }

    private void ReadLines(ReadOnlySpan<byte> text, string path)
    {
        int before = Count;
        int number = 0;
        foreach (Range range in text.Split((byte)'\n'))
        {
            number++;
            ReadOnlySpan<byte> line = text[range].Trim(" \t\r"u8);
            if (line.IsEmpty)
            {
                continue;
            }

            if (Base64.DecodeFromUtf8(line, _decoded, out _, out int length) != OperationStatus.Done)
            {
                throw new BadInputException(Sentence(text.Length, path));
            }

            if (length != TlsTicketKeys.KeyBytes)
            {
                throw new BadInputException(
                    $"Ticket key file '{path}' has {length} bytes in line {number}; it must have {TlsTicketKeys.KeyBytes} in base64 there: openssl rand {TlsTicketKeys.KeyBytes} | base64 -w 0.");
            }

            Add(_decoded.AsSpan(0, length), path);
        }

        if (Count == before)
        {
            throw new BadInputException(Sentence(text.Length, path));
        }
    }

    private void Add(ReadOnlySpan<byte> key, string path)
    {
        if (Count == TlsTicketKeys.MaxCount)
        {
            throw new BadInputException($"Ticket key file '{path}' has the ticket key number {Count + 1}; at most {TlsTicketKeys.MaxCount} are taken.");
        }

        ReadOnlySpan<byte> name = key[..TlsTicketKeys.NameBytes];
        for (int i = 0; i < Count; i++)
        {
            if (_keys.AsSpan(i * TlsTicketKeys.KeyBytes, TlsTicketKeys.NameBytes).SequenceEqual(name))
            {
                throw new BadInputException(
                    $"Ticket key files '{_origins[i]}' and '{path}' have keys that begin with the same {TlsTicketKeys.NameBytes} bytes, the name; each must have its own.");
            }
        }

        key.CopyTo(_keys.AsSpan(Count * TlsTicketKeys.KeyBytes));
        _origins.Add(path);
    }

    private static string Sentence(int length, string path) =>
        $"Ticket key file '{path}' has {length} bytes that are no keys; it must be {TlsTicketKeys.KeyBytes} random bytes (openssl rand {TlsTicketKeys.KeyBytes}), or lines with that many in base64.";
}
