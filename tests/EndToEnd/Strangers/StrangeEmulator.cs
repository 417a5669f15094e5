using System.Diagnostics.CodeAnalysis;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Strangers;

/// <summary>A <c>warp-emulator</c> for all tests of a class.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncLifetime disposes them.")]
public sealed class StrangeEmulator : IAsyncLifetime
{
    private readonly Scenario _scenario = new();

    public string Socket => _scenario.File("device.sock");

    public async Task InitializeAsync() => await EmulatorProcess.StartAsync(_scenario, Socket, "--engines", "2");

    public async Task DisposeAsync() => await _scenario.DisposeAsync();
}
