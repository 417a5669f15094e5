using Xunit.Sdk;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// A test that needs AVX-512F. It does not exist on other processors, rather than being skipped there: what holds on
/// those is the statement of <see cref="SimdSupportTests"/>, which runs everywhere.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("WarpProxy.Tests.Unit.Engines.SimdFactDiscoverer", "WarpProxy.Tests.Unit")]
public sealed class SimdFactAttribute : FactAttribute;
