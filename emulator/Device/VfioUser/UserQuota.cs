using WarpDrive.Linux;

namespace WarpDrive.Emulator.VfioUser;

/// <summary>How many queues the processes of each user have open. The server's thread only.</summary>
internal sealed class UserQuota(int maxQueuesPerUser)
{
    private readonly Dictionary<uint, int> _queues = [];

    /// <summary>One more queue for a user.</summary>
    /// <exception cref="LinuxException">ENOSPC: the user has all that one may have.</exception>
    public void Take(uint user)
    {
        int count = _queues.GetValueOrDefault(user);
        if (count >= maxQueuesPerUser)
        {
            throw new LinuxException("open queue", $"user {user} has {count} open; {maxQueuesPerUser} are allowed", Errno.ENOSPC);
        }

        _queues[user] = count + 1;
    }

    /// <summary>A queue of a user is closed.</summary>
    public void Return(uint user)
    {
        int count = _queues[user] - 1;
        if (count == 0)
        {
            _queues.Remove(user);
        }
        else
        {
            _queues[user] = count;
        }
    }
}
