using WarpDrive.OpenSsl.Provider;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>
/// Tests that count the provider's live handles, of which a process has one number: no other test runs beside them, since the
/// proxy's own tests make keys too.
/// </summary>
[CollectionDefinition(ProviderTests.Name, DisableParallelization = true)]
public sealed class LiveHandles
{
    /// <summary>The number once the finalizers of earlier tests have run.</summary>
    internal static int Settled()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return ProviderHandle.Live;
    }
}
