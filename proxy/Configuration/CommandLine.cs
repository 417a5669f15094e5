using System.CommandLine;
using System.CommandLine.Help;
using WarpProxy.Probe;

namespace WarpProxy.Configuration;

/// <summary>The options of the program. Each is a setting under another name, so a configuration file can do all that the command line can.</summary>
internal sealed class CommandLine
{
    private CommandLine(Verb verb, string? configFile, Dictionary<string, string?> settings)
    {
        Verb = verb;
        ConfigFile = configFile;
        Settings = settings;
    }

    /// <summary>What the program is to do.</summary>
    public Verb Verb { get; }

    /// <summary>The JSON file named with <c>--config</c>.</summary>
    public string? ConfigFile { get; }

    /// <summary>Whether the doctor's report is for programs.</summary>
    public bool WantsJson { get; private init; }

    /// <summary>What to ask, where the verb is <see cref="Verb.Probe"/>.</summary>
    public string ProbeUrl { get; private init; } = ProbeCommand.DefaultUrl;

    /// <summary>What was given, by the path of its setting.</summary>
    public IReadOnlyDictionary<string, string?> Settings { get; }

    /// <summary>Parses <paramref name="args"/>. Null when they asked for the help or the version, which is then written to <paramref name="output"/>.</summary>
    /// <exception cref="BadInputException">An option is unknown or lacks its value.</exception>
    public static CommandLine? Parse(string[] args, TextWriter output)
    {
        Option<string> urls = new("--urls")
        {
            Description = "Where clients connect, separated by ';': https, and http without TLS (default https://localhost:8443)",
            HelpName = "URLS",
        };
        Option<string> admin = new("--admin")
        {
            Description = "Where operators see the live page, /status, /metrics, /healthz and /readyz (default http://127.0.0.1:9901)",
            HelpName = "URL",
        };
        Option<string[]> device = new("--device")
        {
            Description = "The accelerator: embedded: (emulated in this process, the default), emulator:/path/to.sock, uacce:auto, uacce:NAME or mdev:UUID (hardware), or none for software only. "
                + "Give it again for each further device",
            HelpName = "URI",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        Option<string> path = new("--path")
        {
            Description = "The way of private-key operations: auto (each where it is expected to be done first, the default), device, software, or compare (a share each way)",
            HelpName = "auto|device|software|compare",
        };
        Option<string> engine = new("--engine")
        {
            Description = "What computes in the embedded device: auto (for each key size what measures faster on this CPU, the default), "
                + "scalar (OpenSSL), or simd (needs AVX2)",
            HelpName = "auto|scalar|simd",
        };
        Option<string> certificate = new("--certificate")
        {
            Description = "PEM file: the certificate, then its intermediates (default: a development certificate, made once and kept)",
            HelpName = "FILE",
        };
        Option<string> key = new("--key")
        {
            Description = "PEM file: the private key, PKCS#1 or PKCS#8 (default: in the certificate's file)",
            HelpName = "FILE",
        };
        Option<string> password = new("--key-password-file")
        {
            Description = "File whose first line is the password of the key (default: environment variable WARPPROXY_KEY_PASSWORD)",
            HelpName = "FILE",
        };
        Option<string> config = new("--config")
        {
            Description = "JSON file with the settings; 'warpproxy schema --markdown' lists them. "
                + "The environment (WARPPROXY_Offload__Depth=512) is stronger, the command line strongest",
            HelpName = "FILE",
        };

        Option<bool> markdown = new("--markdown") { Description = "Write the table of all settings instead" };
        Option<bool> json = new("--json") { Description = "Write one JSON document for programs instead of a line for each finding" };
        Argument<string> probeUrl = new("URL")
        {
            Description = $"What to GET (default {ProbeCommand.DefaultUrl})",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option[] ofServing = [urls, admin, device, path, engine, certificate, key, password, config];
        var check = new Command("check", "Tell everything that is wrong with the configuration, one line each, and start nothing: exit code 0, or 2");
        var doctor = new Command(
            "doctor",
            "Look at this machine, the devices, certificates, ports and upstreams of the configuration; tell what is well and what to do: exit code 0, or 1 when anything failed")
        {
            json,
        };
        var probe = new Command(
            "probe", "Ask a proxy that serves how it is, for at most two seconds, and tell the answer: exit code 0 when its status is 200, else 1") { probeUrl };
        var schema = new Command("schema", "Write the JSON schema of configuration files, for editors") { markdown };
        var root = new RootCommand(
            "warpproxy: a TLS-terminating reverse proxy that hands each RSA private-key operation to an accelerator through rings in shared memory.")
        {
            check, doctor, probe, schema,
        };
        root.SetAction(static _ => 0);      // it may stand without a verb
        foreach (Option option in ofServing)
        {
            root.Add(option);
            check.Add(option);
            doctor.Add(option);
        }

        if (root.Options.OfType<HelpOption>().FirstOrDefault()?.Action is HelpAction help)
        {
            help.MaxWidth = 120;
        }

        ParseResult result = root.Parse(args);
        if (result.Errors.Count > 0)
        {
            throw new BadInputException($"{result.Errors[0].Message.TrimEnd('.')}; 'warpproxy --help' lists the options.");
        }

        if (result.Action is not null && result.Action != root.Action)
        {
            result.Invoke(new InvocationConfiguration { Output = output });
            return null;
        }

        var settings = new Dictionary<string, string?>();
        Add(urls, "Server:Urls");
        Add(admin, "Server:Admin");
        Add(path, "Offload:Path");
        Add(engine, "Offload:Engine");
        Add(certificate, "Certificate:File");
        Add(key, "Certificate:KeyFile");
        Add(password, "Certificate:PasswordFile");
        foreach ((int index, string uri) in (result.GetValue(device) ?? []).Index())
        {
            settings[$"Offload:Devices:{index}"] = uri;
        }

        Verb verb = result.CommandResult.Command == check ? Verb.Check
            : result.CommandResult.Command == doctor ? Verb.Doctor
            : result.CommandResult.Command == probe ? Verb.Probe
            : result.CommandResult.Command != schema ? Verb.Serve
            : result.GetValue(markdown) ? Verb.SettingsTable
            : Verb.Schema;
        return new CommandLine(verb, result.GetValue(config), settings)
        {
            WantsJson = result.GetValue(json),
            ProbeUrl = result.GetValue(probeUrl) ?? ProbeCommand.DefaultUrl,
        };

        void Add(Option<string> option, string setting)
        {
            if (result.GetValue(option) is { } value)
            {
                settings[setting] = value;
            }
        }
    }
}
