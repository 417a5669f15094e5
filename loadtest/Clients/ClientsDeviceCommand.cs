using System.CommandLine;
using Microsoft.Extensions.Logging;
using WarpDrive.Emulator;
using WarpDrive.Emulator.VfioUser;
using WarpDrive.Engines;

namespace WarpProxy.LoadTest.Clients;

/// <summary>The other process of <c>clients</c>: a device with its real engine, which says with its last line how many lines its log would have had.</summary>
internal static class ClientsDeviceCommand
{
    public const string Name = "clients-device";

    public static Command Create()
    {
        var socket = new Option<string>("--socket") { Required = true, Description = "Socket file to create." };
        var queues = new Option<int>("--queues") { Required = true, Description = "The most queues." };
        var command = new Command(Name, "The device process that 'clients' starts.") { socket, queues };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            var log = new CountingLogger();
            var options = new EmulatorOptions { MaxQueues = parsed.GetValue(queues) };
            using (var device = new EmulatedAccelerator(options, EngineChoice.Make(EngineKind.Auto), log))
            using (VfioUserServer.Listen(device, options, parsed.GetRequiredValue(socket), log))
            {
                Console.WriteLine("ready");
                while (Console.In.Read() >= 0)
                {
                }
            }

            Console.WriteLine(log.Lines);
            return 0;
        });
        return command;
    }

    private sealed class CountingLogger : ILogger
    {
        private long _lines;

        public long Lines => Interlocked.Read(ref _lines);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Interlocked.Add(ref _lines, IsEnabled(logLevel) ? 1 : 0);
    }
}
