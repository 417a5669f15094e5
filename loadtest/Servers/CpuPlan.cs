namespace WarpProxy.LoadTest.Servers;

/// <summary>Who runs where: every server on the same processors, the client and what else is not measured on others.</summary>
/// <param name="Server">Of the servers.</param>
/// <param name="Client">Of the client and the origin.</param>
internal sealed record CpuPlan(CpuList Server, CpuList Client)
{
    /// <summary>A sentence when client and servers share a processor, else null.</summary>
    public string? Warning => Server.Processors.Intersect(Client.Processors).Any()
        ? $"Servers and client share processors (servers {Server}, client {Client}): each takes time from the other, and the rates are lower than the servers could serve."
        : null;

    /// <summary>By default the servers have the last processor, and the client all others that there are.</summary>
    /// <param name="allowed">The processors of this process.</param>
    /// <param name="server">As asked for, or null.</param>
    /// <param name="client">As asked for, or null.</param>
    /// <exception cref="LoadFailure">A processor is not allowed.</exception>
    public static CpuPlan Choose(IReadOnlyList<int> allowed, CpuList? server, CpuList? client)
    {
        Check("--server-cpus", server, allowed);
        Check("--client-cpus", client, allowed);
        CpuList servers = server ?? new CpuList([allowed.LastOrDefault(cpu => client?.Processors.Contains(cpu) != true, allowed[^1])]);
        int[] others = [.. allowed.Except(servers.Processors)];
        return new CpuPlan(servers, client ?? new CpuList(others.Length > 0 ? others : allowed));
    }

    private static void Check(string option, CpuList? asked, IReadOnlyList<int> allowed)
    {
        if (asked is not null && asked.Processors.Except(allowed).Any())
        {
            throw new LoadFailure($"{option} is {asked}; it must be of this process's processors, which are {new CpuList(allowed)}.", LoadFailure.BadInput);
        }
    }
}
