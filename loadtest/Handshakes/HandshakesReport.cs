using System.Globalization;
using System.Text;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>What <c>handshakes</c> prints for people.</summary>
internal static class HandshakesReport
{
    public static string Write(HandshakesResult result)
    {
        var text = new StringBuilder();
        string agreed = $"TLS {result.Tls}, {result.Cipher}, {result.Group ?? "no group"}, {result.KeyType} {result.KeyBits}";
        string interrupted = result.IsInterrupted ? ", interrupted" : "";
        long resumed = result.Handshakes - result.FullHandshakes;
        Line($"{result.Url} at {result.Address}: {agreed}, {ReportText.Trust(result.IsVerified)}.");
        Line($"{Loop(result)}, {ReportText.Plural(result.Threads, "thread")},");
        Line($"{result.Seconds:0.##} s after {result.WarmupSeconds:0.##} s of warm-up{interrupted}.");
        text.AppendLine();
        Line($"full handshakes/s   {result.FullHandshakesPerSecond,10:N1}   ({result.FullHandshakes:N0} in all)");
        Line($"resumed             {result.ResumedShare,10:P1}   ({resumed:N0}; with them {result.HandshakesPerSecond:N1} handshakes/s)");
        text.AppendLine();
        ReportText.AppendLatencies(text, ("handshake", result.Latency), ("with response", result.Response), ("start delay", result.StartDelay));
        text.AppendLine();
        Line($"client CPU          {result.ClientCpuMicrosecondsPerHandshake ?? 0:N0} us per handshake");
        Line($"client thread       busy {result.ClientBusyShare:P0}, waiting for a processor {result.ClientWaitingShare:P0}");
        Line($"errors              {ReportText.Errors(result.Errors)}");
        if (result.Unfinished > 0)
        {
            Line($"unfinished          {result.Unfinished:N0} when the run ended");
        }

        if (result.Cut > 0)
        {
            Line($"cut                 {ReportText.Plural(result.Cut, "connection")} that the server did not end within a second");
        }

        foreach (string warning in result.Warnings)
        {
            Line($"Warning: {warning}");
        }

        return text.ToString().TrimEnd('\n');

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Loop(HandshakesResult result) => result.RatePerSecond is double rate
        ? string.Create(
            CultureInfo.InvariantCulture, $"Open loop at {rate:0.##} connections/s{(result.Loop == "poisson" ? " at random times" : "")}, at most {result.Connections} open, latency from the intended start")
        : $"Closed loop of {ReportText.Plural(result.Connections, "connection")}";
}
