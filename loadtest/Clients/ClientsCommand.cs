using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using WarpProxy.LoadTest.Engines;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Clients;

/// <summary>
/// <c>warp-loadtest clients</c>: many clients of one emulated device in another process: their shares of it, what each costs in memory, the longest wait, what
/// idle clients cost a busy one; and the same many with fewer queues, each taking its turn.
/// </summary>
internal static class ClientsCommand
{
    private const int Depth = 16;
    private const int KeyBits = 2048;

    public static Command Create()
    {
        Option<int> clients = new Option<int>("--clients") { Description = "Clients; each has a connection of its own.", DefaultValueFactory = _ => 1000 }.Between(2, 1024);
        Option<int> queues = new Option<int>("--queues") { Description = "Queues of the device in the second part.", DefaultValueFactory = _ => 64 }.Between(1, 1024);
        Option<int> inFlight = new Option<int>("--in-flight") { Description = "Operations that each keeps in flight.", DefaultValueFactory = _ => 2 }.Between(1, Depth - 1);
        Option<double> seconds = new Option<double>("--seconds") { Description = "Length of the run with all clients.", DefaultValueFactory = _ => 20 }.Between(0.1, 3600);
        var command = new Command("clients", "Many clients of one emulated device: shares, memory, waits; and more clients than queues.") { clients, queues, inFlight, seconds };
        command.SetAction(parsed =>
        {
            using var key = new BenchKey(KeyBits);
            byte[] answer = new byte[key.ModulusBytes];
            key.OpenSsl.Private(key.Input, answer);
            All(parsed.GetValue(clients), parsed.GetValue(inFlight), TimeSpan.FromSeconds(parsed.GetValue(seconds)), key, answer);
            Console.WriteLine();
            new ClientTurns(parsed.GetValue(clients), parsed.GetValue(queues), Depth, key, answer).Run();
            return 0;
        });
        return command;
    }

    /// <summary>As many queues as clients.</summary>
    private static void All(int count, int inFlight, TimeSpan time, BenchKey key, byte[] answer)
    {
        using var device = new ClientsDevice(count);
        using var first = ClientQueue.TryOpen(device.Socket, Depth, key, answer)!;
        _ = RoundTrips(first, 500);
        (double aloneMedian, double aloneCpu) = Measure(first, device);
        long deviceBytes = device.OwnBytes();
        long ownBytes = new MemoryMeter([Environment.ProcessId]).Read();
        long start = Stopwatch.GetTimestamp();
        var queues = new List<ClientQueue> { first };
        for (int i = 1; i < count; i++)
        {
            queues.Add(ClientQueue.TryOpen(device.Socket, Depth, key, answer) ?? throw new InvalidOperationException($"The device has no queue for client {i + 1}."));
        }

        TimeSpan opening = Stopwatch.GetElapsedTime(start);
        (double idleMedian, double idleCpu) = Measure(first, device);
        foreach (ClientQueue queue in queues)
        {
            queue.Fill(inFlight);
        }

        Drain(queues);
        queues.ForEach(queue => queue.Forget());
        long deviceAfter = device.OwnBytes();
        long ownAfter = new MemoryMeter([Environment.ProcessId]).Read();
        start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            int reaped = 0;
            foreach (ClientQueue queue in queues)
            {
                reaped += queue.Reap();
                queue.Fill(inFlight);
            }

            if (reaped == 0)
            {
                // The processors are the device's, as long as nothing has come back.
                Thread.Sleep(1);
            }
        }

        long[] shares = [.. queues.Select(static queue => queue.Completed).Order()];
        Drain(queues);
        Print($"{count} clients of one device, one queue each, {inFlight} operations of RSA-{KeyBits} in flight each, {time.TotalSeconds} s:");
        Print($"  operations       {shares.Sum()} in all, {shares.Sum() / time.TotalSeconds:0} a second");
        Print($"  shares           {shares[0]} to {shares[^1]} operations, median {shares[shares.Length / 2]}; largest to smallest {(double)shares[^1] / shares[0]:0.00}");
        Print($"  longest wait     {queues.Max(static queue => queue.LongestWait).TotalMilliseconds:0} ms; with equal turns {count * inFlight * time.TotalMilliseconds / shares.Sum():0} ms");
        Print($"  opened in        {opening.TotalMilliseconds:0} ms, {opening.TotalMicroseconds / (count - 1):0} us each");
        Print($"  memory a client  {(deviceAfter - deviceBytes) / 1024.0 / (count - 1):0.0} KiB of the device's own, {(ownAfter - ownBytes) / 1024.0 / (count - 1):0.0} KiB resident in the client, rings and arena among it");
        Print($"  device           {device.ThreadCount} threads, {device.DescriptorCount} descriptors");
        Print($"  one busy client  {aloneMedian:0} us a round trip alone, {idleMedian:0} us beside {count - 1} idle ones (medians); {aloneCpu:0} and {idleCpu:0} us of the device's processor time");
        queues.Skip(1).ToList().ForEach(static queue => queue.Dispose());
    }

    private static void Drain(List<ClientQueue> queues)
    {
        while (queues.Sum(static queue => queue.Reap() + queue.InFlight) > 0)
        {
            Thread.Sleep(1);
        }
    }

    /// <summary>Median of a round trip, and the device's processor time for each, both in microseconds.</summary>
    private static (double Median, double Cpu) Measure(ClientQueue queue, ClientsDevice device)
    {
        const int Trips = 2000;
        TimeSpan before = device.ProcessorTime();
        double median = RoundTrips(queue, Trips);
        return (median, (device.ProcessorTime() - before).TotalMicroseconds / Trips);
    }

    private static double RoundTrips(ClientQueue queue, int count)
    {
        double[] times = new double[count];
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            queue.Fill(1);
            while (queue.Reap() == 0)
            {
                queue.Wait();
            }

            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        return times[count / 2];
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
