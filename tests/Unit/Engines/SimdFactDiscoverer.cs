using WarpDrive.Engines;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Finds the test of a <see cref="SimdFactAttribute"/> where its instructions are, and none elsewhere.</summary>
public sealed class SimdFactDiscoverer(IMessageSink sink) : IXunitTestCaseDiscoverer
{
    private readonly FactDiscoverer _facts = new(sink);

    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        SimdEngine.IsSupported ? _facts.Discover(discoveryOptions, testMethod, factAttribute) : [];
}
