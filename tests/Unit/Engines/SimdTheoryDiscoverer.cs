using WarpDrive.Engines;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Finds the cases of a <see cref="SimdTheoryAttribute"/> where its instructions are, and none elsewhere.</summary>
public sealed class SimdTheoryDiscoverer(IMessageSink sink) : IXunitTestCaseDiscoverer
{
    private readonly TheoryDiscoverer _theories = new(sink);

    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        SimdEngine.IsSupported ? _theories.Discover(discoveryOptions, testMethod, factAttribute) : [];
}
