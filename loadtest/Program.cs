using System.CommandLine;
using WarpProxy.LoadTest.Clients;
using WarpProxy.LoadTest.Compare;
using WarpProxy.LoadTest.ConstantTime;
using WarpProxy.LoadTest.Engines;
using WarpProxy.LoadTest.Fleet;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Http;
using WarpProxy.LoadTest.Idle;
using WarpProxy.LoadTest.Peers;
using WarpProxy.LoadTest.Rings;
using WarpProxy.LoadTest.Storm;

var root = new RootCommand("Measures WarpProxy and its parts. Every command prints what it ran and how far its rounds were apart.")
{
    HandshakesCommand.Create(),
    HttpCommand.Create(),
    CompareCommand.Create(),
    ObservationCommand.Create(),
    PeersCommand.Create(),
    IdleCommand.Create(),
    StormCommand.Create(),
    EnginesCommand.Create(),
    FleetCommand.Create(),
    RingsCommand.Create(),
    RingsDeviceCommand.Create(),
    ClientsCommand.Create(),
    ClientsDeviceCommand.Create(),
    KestrelCommand.Create(),
    OriginCommand.Create(),
    ConstantTimeCommand.Create(),
};

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine(parsed.Errors[0].Message);
    return 2;
}

return parsed.Invoke();
