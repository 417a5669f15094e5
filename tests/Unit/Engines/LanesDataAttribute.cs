using System.Reflection;
using WarpDrive.Engines.Simd;
using Xunit.Sdk;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>A case of a theory for each width of vectors that this processor has: its lanes, and then these values.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class LanesDataAttribute(params object[] values) : DataAttribute
{
    /// <summary>The lanes of each width.</summary>
    public static IEnumerable<object> All
    {
        get
        {
            if (Avx512Lanes.IsSupported)
            {
                yield return default(Avx512Lanes);
            }

            if (Avx2Lanes.IsSupported)
            {
                yield return default(Avx2Lanes);
            }
        }
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => All.Select(lanes => (object[])[lanes, .. values]);
}
