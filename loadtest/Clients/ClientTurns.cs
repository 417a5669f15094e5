using System.Diagnostics;
using System.Globalization;
using WarpProxy.LoadTest.Engines;

namespace WarpProxy.LoadTest.Clients;

/// <summary>
/// More clients than queues. Who gets none is told so, asks again after a pause that doubles up to two seconds, with jitter, and could compute in software
/// meanwhile; who has one gives it back after some operations, and does not come again. Ends when each had one.
/// </summary>
internal sealed class ClientTurns(int clients, int queues, int depth, BenchKey key, byte[] answer)
{
    private const int OperationsOfATurn = 50;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Random _random = new(1);
    private readonly Client[] _clients = [.. Enumerable.Range(0, clients).Select(static _ => new Client())];
    private TimeSpan _longestRefusal;
    private long _refusals;
    private long _start;

    public void Run()
    {
        using var device = new ClientsDevice(queues);
        _start = Stopwatch.GetTimestamp();
        foreach (Client client in _clients)
        {
            Ask(client, device);
        }

        int servedAtOnce = _clients.Count(static client => client.Queue is not null);
        TimeSpan asking = Stopwatch.GetElapsedTime(_start);
        TimeSpan processorTime = device.ProcessorTime();
        while (Array.Exists(_clients, static client => client.ServedAfter is null) && Stopwatch.GetElapsedTime(_start) < Patience)
        {
            foreach (Client client in _clients)
            {
                Step(client, device);
            }

            Thread.Sleep(1);
        }

        TimeSpan all = Stopwatch.GetElapsedTime(_start);
        processorTime = device.ProcessorTime() - processorTime;
        Array.ForEach(_clients, static client => client.Queue?.Dispose());
        int starved = _clients.Count(static client => client.ServedAfter is null);
        Print($"{clients} clients of one device with {queues} queues, each with a queue for {OperationsOfATurn} operations at a time:");
        Print($"  at once          {servedAtOnce} have a queue, {clients - servedAtOnce} are told that there is none; all asked within {asking.TotalMilliseconds:0} ms, the longest refusal {_longestRefusal.TotalMilliseconds:0.0} ms");
        Print($"  all had a queue  after {all.TotalSeconds:0.0} s; {starved} never had one; longest wait for one {_clients.Max(static client => client.ServedAfter ?? TimeSpan.MaxValue).TotalSeconds:0.0} s");
        Print($"  refusals         {_refusals}; {_clients.Sum(static client => client.Completed)} operations; {processorTime.TotalSeconds:0.0} s of the device's processor time");
        Print($"  log              {device.Stop()} lines of the device");
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private void Step(Client client, ClientsDevice device)
    {
        if (client.Queue is not { } queue)
        {
            if (Stopwatch.GetTimestamp() >= client.AskAt)
            {
                Ask(client, device);
            }

            return;
        }

        client.Completed += queue.Reap();
        if (queue.Completed < OperationsOfATurn)
        {
            queue.Fill(1);
        }
        else if (queue.InFlight == 0)
        {
            queue.Dispose();
            client.Queue = null;
            client.AskAt = long.MaxValue;
        }
    }

    private void Ask(Client client, ClientsDevice device)
    {
        long start = Stopwatch.GetTimestamp();
        client.Queue = ClientQueue.TryOpen(device.Socket, depth, key, answer);
        if (client.Queue is null)
        {
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            _longestRefusal = took > _longestRefusal ? took : _longestRefusal;
            _refusals++;
            Later(client);
        }
        else
        {
            client.ServedAfter ??= Stopwatch.GetElapsedTime(_start);
        }
    }

    private void Later(Client client)
    {
        client.AskAt = Stopwatch.GetTimestamp() + (long)(client.Pause.TotalSeconds * (0.5 + _random.NextDouble()) * Stopwatch.Frequency);
        client.Pause = TimeSpan.FromSeconds(Math.Min(2, 2 * client.Pause.TotalSeconds));
    }

    private sealed class Client
    {
        public ClientQueue? Queue { get; set; }

        public TimeSpan? ServedAfter { get; set; }

        public TimeSpan Pause { get; set; } = TimeSpan.FromMilliseconds(100);

        public long AskAt { get; set; }

        public long Completed { get; set; }
    }
}
