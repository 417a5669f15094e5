using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Emulator;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Rings;

/// <summary>
/// <c>warp-loadtest rings</c>: what a round trip through the rings costs, with an engine that only copies: the device
/// in this process and in another one, with 1 and with 64 operations in flight, in interleaved rounds.
/// </summary>
internal static class RingsCommand
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static Command Create()
    {
        Option<double> seconds =
            new Option<double>("--seconds") { Description = "Length of one run.", DefaultValueFactory = _ => 1 }.Between(0.001, 600);
        Option<int> rounds =
            new Option<int>("--rounds") { Description = "Rounds; each runs every case once.", DefaultValueFactory = _ => 5 }.Between(1, 1000);
        var json = new Option<bool>("--json") { Description = "Print an array of rows instead of a table." };
        var command = new Command("rings", "Round trips through the rings with an engine that only copies.") { seconds, rounds, json };
        command.SetAction(parsed => Run(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(rounds), parsed.GetValue(json)));
        return command;
    }

    private static int Run(TimeSpan time, int rounds, bool json)
    {
        string directory = Directory.CreateTempSubdirectory("warp-rings-").FullName;
        string socket = Path.Combine(directory, "device.sock");
        using Process deviceProcess = StartDevice(socket);
        try
        {
            using EmulatedAccelerator device = RingsDevice.Create();
            using var embedded = new RingsLoop(device.OpenQueue());
            using var process = new RingsLoop(VfioUserClient.Connect(socket, TimeSpan.FromSeconds(5)));
            RingsCase[] cases =
            [
                new("embedded", 1, embedded), new("process", 1, process),
                new("embedded", 64, embedded), new("process", 64, process),
            ];

            // Warm-up: the JIT recompiles hot loops once they are hot.
            foreach (RingsCase ringsCase in cases)
            {
                ringsCase.Loop.Run(ringsCase.InFlight, TimeSpan.FromSeconds(1));
            }

            for (int round = 0; round < rounds; round++)
            {
                foreach (RingsCase ringsCase in cases)
                {
                    ringsCase.Samples.Add(ringsCase.Loop.Run(ringsCase.InFlight, time));
                }
            }

            RingsRow[] rows = [.. cases.Select(static ringsCase => ringsCase.ToRow())];
            Console.WriteLine(json ? JsonSerializer.Serialize(rows, Json) : Table(rows, rounds, time));
            return 0;
        }
        finally
        {
            deviceProcess.StandardInput.Close();
            if (!deviceProcess.WaitForExit(TimeSpan.FromSeconds(5)))
            {
                deviceProcess.Kill();
            }

            Directory.Delete(directory, recursive: true);
        }
    }

    private static Process StartDevice(string socket)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "warp-loadtest.dll"));
        }

        start.ArgumentList.Add(RingsDeviceCommand.Name);
        start.ArgumentList.Add("--socket");
        start.ArgumentList.Add(socket);
        Process process = Process.Start(start)!;
        if (process.StandardOutput.ReadLine() != "ready")
        {
            throw new InvalidOperationException($"The device process ended with exit code {(process.WaitForExit(1000) ? process.ExitCode : -1)}.");
        }

        return process;
    }

    private static string Table(RingsRow[] rows, int rounds, TimeSpan time)
    {
        var lines = new List<string>
        {
            $"Round trips of RSA-2048 operations through one queue pair, engine that only copies, {rounds} interleaved rounds of {time.TotalSeconds} s.",
            "",
            "device    in flight   operations/s (median)   ns/operation (median)   lowest to highest round   bytes allocated/operation",
        };
        lines.AddRange(rows.Select(row => string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Device,-8}  {row.InFlight,9}   {row.OperationsPerSecond,21:N0}   {row.NanosecondsPerOperation,21:N0}   {row.LowestNanoseconds,10:N0} to {row.HighestNanoseconds,-10:N0}   {row.AllocatedBytesPerOperation,25:0.####}")));
        return string.Join('\n', lines);
    }

    private sealed record RingsCase(string Device, int InFlight, RingsLoop Loop)
    {
        public List<RingsSample> Samples { get; } = [];

        public RingsRow ToRow()
        {
            double[] nanoseconds = [.. Samples.Select(static s => s.Elapsed.TotalNanoseconds / s.Operations).Order()];
            double median = nanoseconds[nanoseconds.Length / 2];
            double allocated = (double)Samples.Sum(static s => s.AllocatedBytes) / Samples.Sum(static s => s.Operations);
            return new RingsRow(Device, InFlight, 1e9 / median, median, nanoseconds[0], nanoseconds[^1], allocated);
        }
    }

    private sealed record RingsRow(
        string Device,
        int InFlight,
        double OperationsPerSecond,
        double NanosecondsPerOperation,
        double LowestNanoseconds,
        double HighestNanoseconds,
        double AllocatedBytesPerOperation);
}
