using System.Globalization;
using System.Runtime.CompilerServices;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>docs/devices.md says what is so.</summary>
public sealed class DevicesDocumentTests
{
    [Fact]
    public void Every_setting_of_the_breaker_is_in_the_table_with_its_default() => Assert.All(
        SettingTypes.SettingsOf(typeof(BreakerOptions)),
        static setting => Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"| `{setting.Name}` | `{setting.GetValue(new BreakerOptions())}` |"), Read(), StringComparison.Ordinal));

    [Fact]
    public void Deadline_is_the_one_that_is_said_to_be() =>
        Assert.Contains($"\"Deadline\": \"{new OffloadOptions().Deadline.ToString("c", CultureInfo.InvariantCulture).TrimEnd('0')}\"", Read(), StringComparison.Ordinal);

    private static string Read([CallerFilePath] string path = "") =>
        File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "../../../docs/devices.md"));
}
