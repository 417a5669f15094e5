using System.Globalization;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>What whoever starts the tests may set, to have more of them than every run needs.</summary>
internal static class Given
{
    public static int Number(string variable, int usual) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;
}
