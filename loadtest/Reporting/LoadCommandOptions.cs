using System.CommandLine;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.LoadTest.Reporting;

/// <summary>Options that mean the same in every command that loads a server.</summary>
internal static class LoadCommandOptions
{
    /// <param name="operations">What is begun, in the plural.</param>
    public static Option<double?> Rate(string operations) => new Option<double?>("--rate")
    {
        Description = $"Open loop: begin so many {operations} per second whatever the server does, and measure latency from when each was due.",
    }.Between(0.1, 1_000_000);

    public static Option<double> Seconds() =>
        new Option<double>("--seconds") { Description = "How long to measure.", DefaultValueFactory = static _ => 10 }.Between(0.1, 86_400);

    public static Option<double> Warmup() =>
        new Option<double>("--warmup") { Description = "Seconds of load before.", DefaultValueFactory = static _ => 1 }.Between(0, 3_600);

    public static Option<string?> Tls() => new Option<string?>("--tls")
    {
        Description = "Only this version: 1.2 or 1.3. Default: the highest that the server takes.",
    }.RefusedIf(static text => text is "1.2" or "1.3" ? null : $"--tls is {text}; it must be 1.2 or 1.3.");

    public static TlsVersion VersionOf(string? tls) => tls switch
    {
        "1.2" => TlsVersion.Tls12,
        "1.3" => TlsVersion.Tls13,
        _ => TlsVersion.Any,
    };

    public static Option<string?> Verify() => new Option<string?>("--verify")
    {
        Description = "PEM file of trusted certificates: verify chain and name. Default: neither, which is cheaper; "
            + "that the server has the key is always checked.",
    }.RefusedIf(static file => File.Exists(file) ? null : $"--verify is {file}; there is no such file.");

    /// <param name="operation">What takes time, in the singular.</param>
    public static Option<double> Timeout(string operation) =>
        new Option<double>("--timeout") { Description = $"Seconds that one {operation} may take.", DefaultValueFactory = static _ => 10 }.Between(0.1, 600);

    public static Option<int> Threads() =>
        new Option<int>("--threads") { Description = "Client threads.", DefaultValueFactory = static _ => 1 }.Between(1, 64);

    public static Option<bool> Json() => new("--json") { Description = "Print one JSON object instead of text, and no live line." };

    /// <exception cref="LoadFailure">There are more threads than connections.</exception>
    public static void CheckThreads(int threads, int connections)
    {
        if (threads > connections)
        {
            throw new LoadFailure($"--threads is {threads}; it must not be above --connections, which is {connections}.", LoadFailure.BadInput);
        }
    }
}
