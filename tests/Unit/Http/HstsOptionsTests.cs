using WarpProxy.Http;

namespace WarpProxy.Tests.Unit.Http;

public sealed class HstsOptionsTests
{
    [Theory]
    [InlineData(31_536_000, false, false, "max-age=31536000")]
    [InlineData(31_536_000, true, false, "max-age=31536000; includeSubDomains")]
    [InlineData(63_072_000, true, true, "max-age=63072000; includeSubDomains; preload")]
    [InlineData(1, false, false, "max-age=1")]
    [InlineData(0, false, false, null)]
    public void Header_is_as_RFC_6797_has_it(int seconds, bool includeSubDomains, bool preload, string? header) => Assert.Equal(
        header, new HstsOptions { MaxAge = TimeSpan.FromSeconds(seconds), IncludeSubDomains = includeSubDomains, Preload = preload }.ToHeader());
}
