using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

public sealed class LockedMemoryLimitTests
{
    [Theory]
    [InlineData(4096, 4096, true)]
    [InlineData(4096, 4097, false)]
    [InlineData(0, 1, false)]
    public void Limit_allows_what_is_not_above_it(long limit, long bytes, bool allowed) => Assert.Equal(allowed, new LockedMemoryLimit(limit).Allows(bytes));

    [Fact]
    public void Without_a_limit_everything_is_allowed() => Assert.True(new LockedMemoryLimit(null).Allows(long.MaxValue));

    [Fact]
    public void Limit_of_this_process_is_read() => Assert.True(LockedMemoryLimit.Read().Bytes is null or >= 0);

    [Fact]
    public void Every_way_to_allow_more_is_told() => Assert.Equal(
        "ulimit -l 5; systemd: LimitMEMLOCK=4097; docker: --ulimit memlock=4097; Kubernetes: LimitMEMLOCK=4097 of the container runtime, or as root the capability IPC_LOCK", LockedMemoryLimit.HowToAllow(4097));

    [Theory]
    [InlineData(640, 0, 0)]
    [InlineData(640, 1, 1)]
    [InlineData(640, 102, 1)]
    [InlineData(640, 103, 2)]
    public void Secrets_take_whole_chunks(int length, long count, long chunks) =>
        Assert.Equal(chunks * SecretArena.ChunkBytes, SecretArena.MappedBytesOf(length, count));
}
