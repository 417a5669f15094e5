using System.Globalization;

namespace WarpProxy.Tests.Unit.VfioUser.Fuzzing;

/// <summary>One thing that a client does. As a line of text: <c>0 send 0d00... [memory eventfd]</c>, <c>1 scribble 77</c>, <c>2 close</c>.</summary>
/// <param name="Client">Which client; each has one connection at a time.</param>
/// <param name="Bytes">What it sends, be it a message, a piece of one or several; empty when it does something else.</param>
/// <param name="Kinds">Descriptors that travel with them, by the names of <see cref="FuzzDescriptors"/>.</param>
/// <param name="Scribble">Not 0: it writes into its rings instead, wherever this seed leads.</param>
internal sealed record FuzzStep(int Client, byte[] Bytes, string[] Kinds, int Scribble = 0)
{
    private bool IsClose => Bytes.Length == 0 && Scribble == 0;

    public static FuzzStep Parse(string line)
    {
        string[] words = line.Split(' ', 4, StringSplitOptions.RemoveEmptyEntries);
        int client = int.Parse(words[0], CultureInfo.InvariantCulture);
        return words[1] switch
        {
            "close" => new FuzzStep(client, [], []),
            "scribble" => new FuzzStep(client, [], [], int.Parse(words[2], CultureInfo.InvariantCulture)),
            "send" => new FuzzStep(
                client,
                Convert.FromHexString(words[2]),
                words.Length < 4 ? [] : words[3].Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries)),
            _ => throw new FormatException($"'{words[1]}' in '{line}'; send, scribble and close are allowed."),
        };
    }

    public override string ToString() =>
        IsClose ? $"{Client} close"
        : Scribble != 0 ? $"{Client} scribble {Scribble}"
        : $"{Client} send {Convert.ToHexString(Bytes)}{(Kinds.Length > 0 ? $" [{string.Join(',', Kinds)}]" : "")}";

    /// <summary>Tells closing from the rest.</summary>
    public bool Closes() => IsClose;
}
