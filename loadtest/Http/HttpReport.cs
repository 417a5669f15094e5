using System.Globalization;
using System.Text;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Http;

/// <summary>What <c>http</c> prints for people.</summary>
internal static class HttpReport
{
    private const double Megabyte = 1e6;

    public static string Write(HttpResult result)
    {
        var text = new StringBuilder();
        string body = result.BodyBytes is long bytes ? $" with a body of {ReportText.Plural(bytes, "byte")}" : "";
        string connections = result.IsNewConnectionEach ? "a new connection each" : "connections kept";
        string interrupted = result.IsInterrupted ? ", interrupted" : "";
        Line($"{result.Url} at {result.Address}: {Agreed(result)}.");
        Line($"{result.Method}{body}, HTTP/{result.Http}, {connections}.");
        Line($"{Loop(result)}, {ReportText.Plural(result.Threads, "thread")},");
        Line($"{result.Seconds:0.##} s after {result.WarmupSeconds:0.##} s of warm-up{interrupted}.");
        text.AppendLine();
        Line($"requests/s          {result.RequestsPerSecond,10:N1}   ({result.Requests:N0} in all; {Statuses(result)})");
        Line($"received MB/s       {result.BytesReceivedPerSecond / Megabyte,10:N3}");
        Line($"sent MB/s           {result.BytesSentPerSecond / Megabyte,10:N3}");
        text.AppendLine();
        ReportText.AppendLatencies(text, ("response", result.Latency), ("start delay", result.StartDelay));
        text.AppendLine();
        Line($"client CPU          {result.ClientCpuMicrosecondsPerRequest ?? 0:N1} us per request");
        Line($"{Busy(result)}");
        Line($"connections opened  {result.ConnectionsOpened:N0}");
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

    private static string Agreed(HttpResult result) => result.Tls is null
        ? "no TLS"
        : $"TLS {result.Tls}, {result.Cipher}, {result.Group ?? "no group"}, {result.KeyType} {result.KeyBits}, {ReportText.Trust(result.IsVerified)}";

    private static string Busy(HttpResult result) => result.ClientWaitingShare is double waiting
        ? string.Create(CultureInfo.InvariantCulture, $"client thread       busy {result.ClientBusyShare:P0}, waiting for a processor {waiting:P0}")
        : string.Create(CultureInfo.InvariantCulture, $"client              busy {result.ClientBusyShare:P0} of its processors");

    private static string Loop(HttpResult result)
    {
        string streams = result.Streams > 1 ? $" of {result.Streams} streams" : "";
        string connections = ReportText.Plural(result.Connections, "connection") + streams;
        return result.RatePerSecond is double rate
            ? string.Create(CultureInfo.InvariantCulture, $"Open loop at {rate:0.##} requests/s over at most {connections}, latency from the intended start")
            : $"Closed loop of {connections}";
    }

    private static string Statuses(HttpResult result) => result.Statuses.Count == 0
        ? "no response"
        : string.Join(", ", result.Statuses.Select(static status => string.Create(CultureInfo.InvariantCulture, $"{status.Value:N0} {status.Key}")));
}
