using System.Reflection;
using WarpDrive.Engines;
using Xunit.Sdk;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>A case of a theory for each width of vectors that this processor has: the <see cref="SimdWidth"/>, and then these values.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class WidthDataAttribute(params object[] values) : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        SimdWidth.All.Where(width => width.IsSupported).Select(width => (object[])[width, .. values]);
}
