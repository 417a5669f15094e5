using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using WarpDrive.Emulator.Faults;
using WarpDrive.Engines;

namespace WarpDrive.Emulator.Server;

/// <summary>The command line of <c>warp-emulator</c>.</summary>
internal static class EmulatorCommand
{
    private const long BytesPerMiB = 1 << 20;

    private static readonly EmulatorOptions Defaults = new();

    private static readonly Option<string> Socket = new("--socket", "-s")
    {
        Description = "Path of the Unix socket to listen on (mode 0660); a stale socket there is replaced.",
        HelpName = "path",
        Required = true,
    };

    private static readonly Option<int> Engines =
        Number("--engines", "Engines, each with a thread of its own.", Defaults.EngineCount, 1, 64);

    private static readonly Option<EngineKind> Engine = new("--engine")
    {
        Description = "What computes: auto (for each key size what measures faster on this CPU, the default), scalar (OpenSSL), or simd (needs AVX2).",
        HelpName = "auto|scalar|simd",
        DefaultValueFactory = _ => EngineKind.Auto,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            EngineKind? kind = text switch { "auto" => EngineKind.Auto, "scalar" => EngineKind.Scalar, "simd" => EngineKind.Simd, _ => null };
            if (kind is null)
            {
                result.AddError($"--engine is '{text}'; allowed are auto, scalar and simd.");
            }
            else if (EngineChoice.FindObstacle(kind.Value) is { } obstacle)
            {
                result.AddError($"--engine is '{text}', which {obstacle}.");
            }

            return kind.GetValueOrDefault();
        },
    };

    private static readonly Option<int> Queues =
        Number("--queues", "The most queue pairs open at once; each connection has one.", Defaults.MaxQueues, 1, 1024);

    private static readonly Option<int> QueuesPerUser =
        Number("--queues-per-user", "The most queue pairs that processes of one user have open at once.", Defaults.MaxQueuesPerUser, 1, 1024);

    private static readonly Option<int> DmaMaps =
        Number("--dma-maps", "The most DMA mappings of one queue pair.", Defaults.MaxDmaMaps, 1, 65536);

    private static readonly Option<int> MappedMiB =
        Number("--mapped-mib", "The most memory, in MiB, that one queue pair may map.", (int)(Defaults.MaxMappedBytes / BytesPerMiB), 1, 2047);

    private static readonly Option<int> TotalMappedMiB =
        Number("--mapped-total-mib", "The most memory, in MiB, that all queue pairs together may map.", (int)(Defaults.MaxTotalMappedBytes / BytesPerMiB), 1, 1 << 26);

    private static readonly Option<int> SpinMicroseconds =
        Number("--spin-us", "How long an idle engine looks for work before it sleeps, in microseconds.", (int)Defaults.SpinTime.TotalMicroseconds, 0, 1_000_000);

    private static readonly Option<uint[]> Users = Ids("--allow-uid", "Users whose processes may connect");

    private static readonly Option<uint[]> Groups = Ids("--allow-gid", "Groups whose processes may connect");

    private static readonly Option<bool> RequireLockedMemory = new("--require-locked-memory")
    {
        Description = "Refuse to start when the memory of all queues cannot be locked.",
    };

    private static readonly Option<FaultPlan?> Faults = new("--faults")
    {
        Description = "JSON file that says what is to go wrong, for tests of clients: see emulator/README.md.",
        HelpName = "file",
        CustomParser = result =>
        {
            string path = result.Tokens[0].Value;
            try
            {
                return FaultPlan.Parse(File.ReadAllBytes(path));
            }
            catch (FormatException mistake)
            {
                result.AddError($"--faults names '{path}', which is no plan: {mistake.Message}");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                result.AddError($"--faults names '{path}', which cannot be read: {failure.Message}");
            }

            return null;
        },
    };

    private static readonly Option<LogLevel> Level = new("--log-level")
    {
        Description = "Least severe messages shown: Debug also says which commands of clients were refused.",
        HelpName = "level",
        DefaultValueFactory = _ => LogLevel.Information,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (Enum.GetNames<LogLevel>().Contains(text, StringComparer.OrdinalIgnoreCase))
            {
                return Enum.Parse<LogLevel>(text, ignoreCase: true);
            }

            result.AddError($"--log-level is '{text}'; allowed are {string.Join(", ", Enum.GetNames<LogLevel>())}.");
            return LogLevel.Information;
        },
    };

    /// <summary>The command; <paramref name="run"/> gets the socket's path, the device's options the engine asked for and the log level, and returns the exit code.</summary>
    public static RootCommand Create(Func<string, EmulatorOptions, EngineKind, LogLevel, int> run)
    {
        var command = new RootCommand(
            "An RSA accelerator in software, for other processes: rings in shared memory, reached through vfio-user on a Unix socket.")
        {
            Socket, Engine, Engines, Queues, QueuesPerUser, DmaMaps, MappedMiB, TotalMappedMiB, SpinMicroseconds, Users, Groups, RequireLockedMemory, Faults, Level,
        };
        command.Add(CreateProbe());
        command.SetAction(arguments => run(
            arguments.GetRequiredValue(Socket),
            new EmulatorOptions
            {
                EngineCount = arguments.GetValue(Engines),
                MaxQueues = arguments.GetValue(Queues),
                MaxQueuesPerUser = arguments.GetValue(QueuesPerUser),
                MaxDmaMaps = arguments.GetValue(DmaMaps),
                MaxMappedBytes = arguments.GetValue(MappedMiB) * BytesPerMiB,
                MaxTotalMappedBytes = arguments.GetValue(TotalMappedMiB) * BytesPerMiB,
                SpinTime = TimeSpan.FromMicroseconds(arguments.GetValue(SpinMicroseconds)),
                AllowedUsers = arguments.GetValue(Users) ?? [],
                AllowedGroups = arguments.GetValue(Groups) ?? [],
                RequireLockedMemory = arguments.GetValue(RequireLockedMemory),
                Faults = arguments.GetValue(Faults),
            },
            arguments.GetValue(Engine),
            arguments.GetValue(Level)));
        return command;
    }

    private static Command CreateProbe()
    {
        Argument<string> socket = new("socket")
        {
            Description = "Path of the Unix socket.",
            DefaultValueFactory = _ => SocketProbe.DefaultSocket,
        };
        var probe = new Command("probe", "Ask the device that listens on a socket whether it serves, for at most two seconds: exit code 0, or 1.") { socket };
        probe.SetAction((arguments, _) => SocketProbe.RunAsync(arguments.GetRequiredValue(socket), Console.Out));
        return probe;
    }

    /// <summary>An option that lists numbers of users or groups; it may be given several times.</summary>
    private static Option<uint[]> Ids(string name, string description) => new(name)
    {
        Description = $"{description}, by number, with commas between; without it and its sibling all whom the socket's file lets in.",
        HelpName = "numbers",
        CustomParser = result =>
        {
            var ids = new List<uint>();
            foreach (string text in result.Tokens.SelectMany(static token => token.Value.Split(',')))
            {
                if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
                {
                    ids.Add(id);
                }
                else
                {
                    result.AddError($"{name} has '{text}'; allowed are numbers, as id(1) shows them, with commas between.");
                }
            }

            return [.. ids];
        },
    };

    /// <summary>An option whose refusal names the value seen and the values allowed.</summary>
    private static Option<int> Number(string name, string description, int defaultValue, int min, int max) => new(name)
    {
        Description = $"{description} {min} to {max}.",
        HelpName = "number",
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max)
            {
                return value;
            }

            result.AddError($"{name} is '{text}'; allowed are {min} to {max}.");
            return defaultValue;
        },
    };
}
