using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Hpre;
using WarpDrive.Emulator;
using WarpDrive.Emulator.Server;
using WarpDrive.Emulator.VfioUser;
using WarpDrive.Engines;
using WarpDrive.Linux;

const int Ended = 0;
const int Failed = 1;
const int BadInput = 2;
const int EndedBySigint = 130;      // as shells have it: 128 plus the signal's number
const int EndedBySigterm = 143;
const int EndSeconds = 20;          // far more than queues and engines need to end

ParseResult arguments = EmulatorCommand.Create(Run).Parse(args);
if (arguments.Errors.Count > 0)
{
    Console.Error.WriteLine($"warp-emulator: {arguments.Errors[0].Message}");
    return BadInput;
}

return arguments.Invoke();

static int Run(string socket, EmulatorOptions options, EngineKind engine, LogLevel level)
{
    // First of all: a signal that comes during the start is not lost.
    using var stop = new ManualResetEventSlim();
    string signal = "";
    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (stop.IsSet)
        {
            // The second one: at once, whatever the end waits for.
            ProcessEnd.Now(context.Signal == PosixSignal.SIGINT ? EndedBySigint : EndedBySigterm);
        }

        signal = context.Signal.ToString();
        stop.Set();
    }

    using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var manager = ServiceManager.FromEnvironment();
    using ILoggerFactory loggers = LoggerFactory.Create(builder => builder
        .SetMinimumLevel(level)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        }));
    ILogger logger = loggers.CreateLogger("warp-emulator");
    try
    {
        if (LockedMemory.FindShortage(options) is { } shortage)
        {
            if (options.RequireLockedMemory)
            {
                return Refuse($"--require-locked-memory is given. {shortage}", BadInput);
            }

            logger.LockedMemoryShort(shortage);
        }

        using var accelerator = new EmulatedAccelerator(options, EngineChoice.Make(engine), logger);
        if (accelerator.EngineCount == 0)
        {
            return Refuse($"None of the {options.EngineCount} engines '{accelerator.EngineName}' computes right.", Failed);
        }

        using var server = VfioUserServer.Listen(accelerator, options, socket, logger);
        logger.Offering(
            socket,
            accelerator.EngineCount,
            accelerator.EngineName,
            accelerator.EngineLanes,
            options.MaxQueues,
            DeviceUserShare.MaxDepth,
            options.MaxDmaMaps,
            options.MaxMappedBytes >> 20,
            options.MaxTotalMappedBytes >> 20);
        manager.Ready($"Offering {socket}");
        stop.Wait();
        manager.Stopping(TimeSpan.FromSeconds(EndSeconds));
        logger.Stopping(signal, accelerator.QueueCount, accelerator.OperationsCompleted, accelerator.OperationErrors);
        foreach (BatchHistogram batches in accelerator.GetBatchHistograms())
        {
            logger.Batches(batches);
        }

        return Ended;
    }
    catch (SocketPathException refusal)
    {
        return Refuse(refusal.Message, BadInput);
    }
    catch (Exception failure) when (failure is LinuxException or DllNotFoundException or InvalidOperationException)
    {
        return Refuse(failure.Message, Failed);
    }
}

static int Refuse(string sentence, int code)
{
    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warp-emulator: {sentence}"));
    return code;
}
