using Xunit.Sdk;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>As <see cref="SimdFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("WarpProxy.Tests.Unit.Engines.SimdTheoryDiscoverer", "WarpProxy.Tests.Unit")]
public sealed class SimdTheoryAttribute : TheoryAttribute;
