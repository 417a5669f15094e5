using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using WarpDrive.Linux;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Compare;

/// <summary>The options of <c>compare</c> and <c>peers</c>.</summary>
internal sealed class ComparisonArguments
{
    // Where the proxy finds devices that are there already; the proxy itself says what is wrong with the rest of it.
    private static readonly string[] DevicesElsewhere = ["emulator:/", "uacce:", "mdev:"];

    private static readonly string[] KnownVersions = ["1.3", "1.2"];

    private readonly Option<double> _seconds =
        new Option<double>("--seconds") { Description = "Length of one run.", DefaultValueFactory = static _ => 2 }.Between(0.1, 3600);

    private readonly Option<int> _rounds =
        new Option<int>("--rounds") { Description = "Rounds; each runs every server once.", DefaultValueFactory = static _ => 5 }.Between(1, 1000);

    private readonly Option<double> _warmup = new Option<double>("--warmup")
    {
        Description = "Seconds of load for each server before the first round, with each version.", DefaultValueFactory = static _ => 2,
    }.Between(0, 600);

    private readonly Option<string> _sizes;
    private readonly Option<string> _tls;
    private readonly Option<string> _connections;

    private readonly Option<bool> _request = new("--request") { Description = "One GET per connection, which every server forwards to the same origin." };

    private readonly Option<string> _device = new("--device")
    {
        Description = $"WarpProxy's device: {WarpProxyPrograms.Embedded} in its process, {WarpProxyPrograms.EmulatorOfItsOwn} in a warp-emulator that is started with it; "
            + "or one that is there already, whose processor time is not counted: emulator:/path/to.sock, uacce:NAME, uacce:auto or mdev:UUID.",
        DefaultValueFactory = static _ => WarpProxyPrograms.Embedded,
    };

    private readonly Option<string?> _proxy = new("--proxy") { Description = "The program warpproxy. Default: the one that was built with this." };
    private readonly Option<string?> _emulator = new("--emulator") { Description = "The program warp-emulator. Default: the one that was built with this." };
    private readonly Option<string?> _serverCpus = Cpus("--server-cpus", "Processors of the servers, such as 0,2-3. Default: the last one.");
    private readonly Option<string?> _clientCpus = Cpus("--client-cpus", "Processors of the client. Default: the others.");

    private readonly Option<bool> _json = new("--json") { Description = "Print an array of rows instead of text, and no live line." };
    private readonly Option<string?> _report = new("--report") { Description = "HTML file to write, and a JSON file of the same beside it." };

    /// <param name="sizes">By default.</param>
    /// <param name="tls">By default.</param>
    /// <param name="connections">By default.</param>
    public ComparisonArguments(string sizes, string tls, string connections)
    {
        _sizes = List(
            "--sizes",
            "Bits of the RSA keys, or P-256 for ECDSA, with commas between.",
            sizes,
            $"{string.Join(", ", ServerKey.Known.SkipLast(1))} or {ServerKey.Known[^1]}",
            static text => ServerKey.Known.Contains(text));
        _tls = List("--tls", "Versions of TLS, with commas between.", tls, "1.3 or 1.2", KnownVersions.Contains);
        _connections = List(
            "--connections",
            "Connections open at the same time, with commas between.",
            connections,
            "between 1 and 10000",
            static text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= 10_000);
        _device.Validators.Add(static result =>
        {
            if (result.Tokens is [var token, ..] && token.Value is not (WarpProxyPrograms.Embedded or WarpProxyPrograms.EmulatorOfItsOwn)
                && !DevicesElsewhere.Any(prefix => token.Value.StartsWith(prefix, StringComparison.Ordinal)))
            {
                result.AddError($"--device is {token.Value}; it must be {WarpProxyPrograms.Embedded}, {WarpProxyPrograms.EmulatorOfItsOwn}, emulator:/path/to.sock, uacce:NAME, uacce:auto or mdev:UUID.");
            }
        });
        _report.Validators.Add(static result =>
        {
            if (!result.Tokens[0].Value.EndsWith(".html", StringComparison.Ordinal))
            {
                result.AddError($"--report is {result.Tokens[0].Value}; it must end with .html.");
            }
        });
    }

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[
            _seconds, _rounds, _warmup, _sizes, _tls, _connections, _request, _device, _proxy, _emulator, _serverCpus, _clientCpus, _report, _json])
        {
            command.Add(option);
        }
    }

    public bool IsJson(ParseResult parsed) => parsed.GetValue(_json);

    public string? Report(ParseResult parsed) => parsed.GetValue(_report);

    public WarpProxyPrograms Programs(ParseResult parsed) =>
        WarpProxyPrograms.Find(Full(parsed.GetValue(_proxy)), Full(parsed.GetValue(_emulator)), parsed.GetValue(_device)!);

    /// <exception cref="LoadFailure">A processor is not this process's.</exception>
    public ComparisonPlan Plan(ParseResult parsed) => new()
    {
        Measured = TimeSpan.FromSeconds(parsed.GetValue(_seconds)),
        Warmup = TimeSpan.FromSeconds(parsed.GetValue(_warmup)),
        Rounds = parsed.GetValue(_rounds),
        Keys = [.. Split(parsed.GetValue(_sizes)!).Select(ServerKey.Parse)],
        TlsVersions = Split(parsed.GetValue(_tls)!),
        Connections = [.. Split(parsed.GetValue(_connections)!).Select(static count => int.Parse(count, CultureInfo.InvariantCulture))],
        IsRequesting = parsed.GetValue(_request),
        Cpus = CpuPlan.Choose(CpuAffinity.Current, ToCpus(parsed.GetValue(_serverCpus)), ToCpus(parsed.GetValue(_clientCpus))),
    };

    private static CpuList? ToCpus(string? text) => text is null ? null : CpuList.Parse(text);

    // The servers run in folders of their own.
    private static string? Full(string? path) => path is null ? null : Path.GetFullPath(path);

    private static string[] Split(string list) => [.. list.Split(',', StringSplitOptions.TrimEntries).Distinct()];

    private static Option<string> List(string name, string description, string defaults, string allowed, Predicate<string> isAllowed)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => defaults };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && Array.Find(Split(result.Tokens[0].Value), part => !isAllowed(part)) is string bad)
            {
                result.AddError($"{name} has '{bad}'; each must be {allowed}.");
            }
        });
        return option;
    }

    private static Option<string?> Cpus(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description };
        option.Validators.Add((OptionResult result) =>
        {
            if (CpuList.Parse(result.Tokens[0].Value) is null)
            {
                result.AddError($"{name} is '{result.Tokens[0].Value}'; it must be numbers of processors such as 0,2-3.");
            }
        });
        return option;
    }
}
