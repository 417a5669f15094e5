using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Emulator;
using WarpDrive.Emulator.VfioUser;
using WarpDrive.Engines;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Emulator;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>An accelerator behind a real socket in a directory of its own.</summary>
internal sealed class ServedDevice : IDisposable
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-test-");

    public ServedDevice(EmulatorOptions? options = null, Func<IRsaEngine>? createEngine = null, TimeProvider? time = null, ILogger? logger = null)
    {
        options ??= new EmulatorOptions { SelfTest = createEngine is not null };
        Accelerator = new EmulatedAccelerator(options, createEngine ?? (() => new TestEngine()), NullLogger.Instance);
        Server = VfioUserServer.Listen(Accelerator, options, Path, logger ?? NullLogger.Instance, time ?? TimeProvider.System);
    }

    public EmulatedAccelerator Accelerator { get; }

    public VfioUserServer Server { get; }

    public string Path => System.IO.Path.Combine(_directory.FullName, "device.sock");

    /// <summary>A connection that has said nothing yet.</summary>
    public RawClient Connect() => new(UnixSocket.Connect(Path, Timeout));

    /// <summary>A connection with a queue.</summary>
    public RawClient Open()
    {
        RawClient client = Connect();
        using RawReply reply = client.Call(1, RawClient.Version());
        Assert.Equal(0u, reply.Error);
        return client;
    }

    public VfioUserClient OpenClient() => VfioUserClient.Connect(Path, Timeout);

    /// <summary>Waits until the server has closed all but so many queues.</summary>
    public void AwaitQueues(int count) =>
        Assert.True(SpinWait.SpinUntil(() => Accelerator.QueueCount == count, Timeout), $"{Accelerator.QueueCount} queues, not {count}");

    /// <summary>Waits until so many connections are open.</summary>
    public void AwaitConnections(int count) =>
        Assert.True(SpinWait.SpinUntil(() => Server.ConnectionCount == count, Timeout), $"{Server.ConnectionCount} connections, not {count}");

    /// <summary>Waits until all who came before have been accepted, have been heard, and all but so many are gone.</summary>
    public void AwaitOthersGone(int count)
    {
        // One that was closed by its client may still wait to be accepted: whoever connects after it is answered after that.
        using (RawClient last = Connect())
        using (last.Call(1, RawClient.Version()))
        {
        }

        AwaitConnections(count);
        AwaitQueues(count);
    }

    public void Dispose()
    {
        Server.Dispose();
        Accelerator.Dispose();
        _directory.Delete(recursive: true);
    }
}
