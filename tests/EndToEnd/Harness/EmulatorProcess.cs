using System.Net.Sockets;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A <c>warp-emulator</c> that accepts connections.</summary>
internal sealed class EmulatorProcess(RunningProcess process, string socket) : IAsyncDisposable
{
    public RunningProcess Process => process;

    /// <summary>For <c>--device</c>.</summary>
    public string DeviceUri => $"emulator:{socket}";

    public static async Task<EmulatorProcess> StartAsync(Scenario scenario, string socket, params string[] arguments)
    {
        RunningProcess process = scenario.Start(Executable.Emulator, ["--socket", socket, .. arguments]);
        await Eventually.TrueAsync("warp-emulator accepts connections", () => process.HasExited || Answers(socket));
        Assert.False(process.HasExited, "warp-emulator ended at start");
        return new EmulatorProcess(process, socket);
    }

    /// <summary>Ends it as a crash would: nothing is closed by the program, and its socket stays.</summary>
    public async Task KillAsync()
    {
        process.Send(Signal.Kill);
        await process.WaitForExitAsync(TimeSpan.FromSeconds(60));
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static bool Answers(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
