using Xunit.Sdk;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// A theory that needs AVX2 or AVX-512F, with cases for both where a processor has both. It does not exist on other processors, rather than
/// being skipped there: what holds on those is the statement of <see cref="SimdSupportTests"/>, which runs everywhere.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("WarpProxy.Tests.Unit.Engines.SimdTheoryDiscoverer", "WarpProxy.Tests.Unit")]
public sealed class SimdTheoryAttribute : TheoryAttribute;
