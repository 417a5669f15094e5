using System.Globalization;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>Bytes that whoever has asked for them can check: <c>/pattern/SEED/LENGTH</c> of <see cref="Upstream"/>.</summary>
internal readonly record struct Pattern(int Seed, int Length)
{
    public string Path => $"/pattern/{Seed}/{Length}";

    /// <summary>What follows <c>/pattern</c>.</summary>
    public static Pattern Parse(string path)
    {
        string[] parts = path.Split('/');
        return new Pattern(int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Length];
        new Random(Seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Whether an answer has these bytes after its head, and nothing else.</summary>
    public bool IsBodyOf(ReadOnlySpan<byte> answer)
    {
        int head = answer.IndexOf("\r\n\r\n"u8);
        return head >= 0 && answer[(head + 4)..].SequenceEqual(ToBytes());
    }
}
