using WarpProxy.Configuration;

namespace WarpProxy.Files;

/// <summary>Reads files that hold no secret.</summary>
internal static class FileContent
{
    /// <summary>The whole file; <paramref name="what"/> names it in messages: <c>CA file</c>.</summary>
    /// <exception cref="BadInputException">It cannot be read, or is longer than allowed.</exception>
    public static byte[] Read(string path, string what, int maxBytes)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            byte[] bytes = new byte[Math.Min(stream.Length, maxBytes + 1L)];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= maxBytes
                ? bytes[..length]
                : throw new BadInputException($"{what} '{path}' has {stream.Length} bytes; at most {maxBytes} are read.");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"{what} '{path}' does not exist.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            string reason = Directory.Exists(path) ? "it is a directory" : exception is UnauthorizedAccessException ? "permission denied" : exception.Message.TrimEnd('.');
            throw new BadInputException($"{what} '{path}' cannot be read: {reason}.", exception);
        }
    }
}
