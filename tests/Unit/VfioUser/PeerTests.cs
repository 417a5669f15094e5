using WarpDrive.Emulator;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>Who may connect: the test's own user and group are what the server sees.</summary>
public sealed class PeerTests
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Process_of_an_allowed_user_or_group_is_served(bool allowUser, bool allowGroup)
    {
        (uint user, uint group) = Own();
        using var device = new ServedDevice(new EmulatorOptions
        {
            SelfTest = false,
            AllowedUsers = allowUser ? [user] : [user + 1],
            AllowedGroups = allowGroup ? [group] : [group + 1],
        });
        using RawClient client = device.Open();
        Assert.Equal(1, device.Accelerator.QueueCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Process_of_another_is_disconnected_at_once(bool nameUser)
    {
        (uint user, uint group) = Own();
        using var device = new ServedDevice(new EmulatorOptions
        {
            SelfTest = false,
            AllowedUsers = nameUser ? [user + 1] : [],
            AllowedGroups = nameUser ? [] : [group + 1],
        });
        using RawClient client = device.Connect();
        client.AwaitEnd();
        Assert.Equal(0, device.Accelerator.QueueCount);
    }

    private static (uint User, uint Group) Own()
    {
        // Who listens is this process too.
        using var device = new ServedDevice();
        using RawClient client = device.Connect();
        (_, uint user, uint group) = client.Socket.PeerCredentials;
        return (user, group);
    }
}
