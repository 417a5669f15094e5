using System.Globalization;
using WarpProxy.Admin;
using WarpProxy.Offload;
using WarpProxy.Telemetry;

namespace WarpProxy.Live;

/// <summary>Whether offloading pays, in words that stand on measured numbers.</summary>
/// <param name="Tone"><c>good</c>: it does; <c>bad</c>: software is the better path; <c>even</c>; or <c>none</c>: there is nothing to compare.</param>
/// <param name="Headline">One sentence.</param>
/// <param name="Details">Some more.</param>
internal sealed record Verdict(string Tone, string Headline, IReadOnlyList<string> Details)
{
    /// <summary>Fewer handshakes than this say nothing about a path.</summary>
    public const int MinCount = 30;

    // Less than this is noise.
    private const double LeastSaving = 0.03;
    private const double LeastRatio = 1.05;

    private const string TryCompare = "set Offload:Path to compare to see both.";

    /// <summary>Finds the words.</summary>
    /// <param name="comparison">Of the last minutes.</param>
    /// <param name="others">Handshakes without a private-key operation for a device.</param>
    /// <param name="readiness">Which path is live, and why.</param>
    /// <param name="path"><c>Offload:Path</c>.</param>
    /// <param name="outside">Devices whose processor time nobody here can count: <c>emulator:/run/warp/device.sock</c>.</param>
    public static Verdict Of(PathComparison comparison, long others, Readiness readiness, OffloadPath path, IReadOnlyList<string> outside)
    {
        (PathFigures device, PathFigures software) = (comparison.Device, comparison.Software);
        return (device.Count, software.Count) switch
        {
            (0, 0) => Idle(others, readiness),
            (_, 0) => new("none", $"A device computed {All(device.Count, comparison)}{Cost(device)}.", [$"No{Kind(comparison)} handshake went to software in the last 5 minutes; {TryCompare}", .. Others(comparison)]),
            (0, _) => new("none", $"Software computed {All(software.Count, comparison)}{Cost(software)}.", [WhySoftware(readiness, path, Kind(comparison)), .. Others(comparison)]),
            ( < MinCount, _) or (_, < MinCount) => new(
                "none",
                $"Too few handshakes yet to compare: {Number(device.Count)} on the device, {Number(software.Count)} in software.",
                [path == OffloadPath.Compare ? $"Both need {MinCount} within 5 minutes." : $"Both need {MinCount} within 5 minutes; {TryCompare}"]),
            _ => Compare(comparison, path, outside),
        };
    }

    private static Verdict Compare(PathComparison comparison, OffloadPath path, IReadOnlyList<string> outside)
    {
        string handshake = comparison.Bits is { } bits ? string.Create(CultureInfo.InvariantCulture, $"RSA-{bits} handshake") : "RSA handshake";
        (double device, double software) = (comparison.Device.Cpu ?? 0, comparison.Software.Cpu ?? 0);
        double saved = software > 0 ? 1 - (device / software) : 0;
        bool isCounted = comparison.Device.EngineCpu is not null && outside.Count == 0;
        string numbers = $"{Milliseconds(device)} instead of {Milliseconds(software)}";
        string percent = string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(saved) * 100:0} %");
        (string tone, string headline) = saved switch
        {
            >= LeastSaving when isCounted => ("good", $"Offloading saves {percent} of the CPU per {handshake}: {numbers}."),
            >= LeastSaving => ("good", $"Offloading takes {percent} of the CPU per {handshake} off this process: {numbers}."),
            <= -LeastSaving => ("bad", $"Offloading costs {percent} more CPU per {handshake}: {numbers}."),
            _ => ("even", $"Offloading makes no difference to the CPU per {handshake}: {numbers}."),
        };
        List<string> details = [Latency(comparison.Device.P50 ?? 0, comparison.Software.P50 ?? 0)];
        if (tone == "good" && isCounted)
        {
            details.Add(string.Create(CultureInfo.InvariantCulture, $"The same processors can do {software / device:0.0#} times the handshakes."));
        }
        else if (tone == "bad")
        {
            details.Add("Under this load software is the better path.");
        }

        if (!isCounted)
        {
            details.Add($"The device's own processor time is not counted here{(outside.Count > 0 ? $": {string.Join(", ", outside)}" : "")}.");
        }

        if (path is not OffloadPath.Compare)
        {
            details.Add("Each path had other moments, so that its load was another: set Offload:Path to compare for both under the same.");
        }

        details.AddRange(Others(comparison));
        return new Verdict(tone, headline, details);
    }

    private static Verdict Idle(long others, Readiness readiness)
    {
        string live = readiness.Path == HandshakePath.Device ? $"A device waits for work: {readiness.Reason}." : WhySoftware(readiness, OffloadPath.Device);
        return others > 0
            ? new("none", $"{Number(others)} handshakes in the last 5 minutes, and none needed an RSA operation.", ["They resumed a session, or the key is ECDSA, which is cheap.", live])
            : new("none", "No handshake in the last 5 minutes.", [live]);
    }

    private static string WhySoftware(Readiness readiness, OffloadPath path, string kind = "") => (readiness.Path, path) switch
    {
        (HandshakePath.Device, OffloadPath.Auto) =>
            $"A device is ready; at this load, software is expected to be done first. No{kind} handshake went to a device in the last 5 minutes; {TryCompare}",
        (HandshakePath.Device, OffloadPath.Software) => $"These certificates have the path software; {TryCompare}",
        (HandshakePath.Device, _) => $"A device is ready; no{kind} handshake went to it in the last 5 minutes.",
        _ => readiness.Reason is { } reason ? $"Nothing is offloaded: {reason}." : $"Clients are not served now: the proxy is {readiness.State}.",
    };

    private static string Latency(double device, double software) => (device, software) switch
    {
        ( <= 0, _) or (_, <= 0) => "",
        _ when software / device >= LeastRatio => $"The median handshake is {Times(software / device)} as fast: {Milliseconds(device)} instead of {Milliseconds(software)}.",
        _ when device / software >= LeastRatio => $"The median handshake takes {Times(device / software)} as long: {Milliseconds(device)} instead of {Milliseconds(software)}.",
        _ => $"The median handshake takes {Milliseconds(device)} either way.",
    };

    private static string All(long count, PathComparison comparison) => count == 1
        ? $"the only{Kind(comparison)} handshake of the last 5 minutes"
        : $"all {Number(count)}{Kind(comparison)} handshakes of the last 5 minutes";

    /// <summary>Which handshakes a sentence is about, where there are others.</summary>
    private static string Kind(PathComparison comparison) =>
        comparison is { HasOtherSizes: true, Bits: { } bits } ? string.Create(CultureInfo.InvariantCulture, $" RSA-{bits}") : "";

    private static string[] Others(PathComparison comparison) =>
        comparison.HasOtherSizes ? ["Keys of other sizes are in the charts, and not in this sentence."] : [];

    private static string Cost(PathFigures figures) => figures.Cpu is { } cpu ? $", for {Milliseconds(cpu)} of CPU each" : "";

    private static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Times(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio:0.0#} times");

    private static string Milliseconds(double time) => time switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{time:0.00} ms"),
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{time:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{time:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time / 1000:0.0} s"),
    };
}
