namespace WarpDrive.Driver;

/// <summary>
/// An RSA key as devices take it, with two inputs and their answers. The numbers were made once: keys by <c>openssl genrsa</c> (half of
/// them with p and q exchanged, so that q is above p), inputs at random, answers by Python's <c>pow(input, d, n)</c>, that is without CRT and
/// without OpenSSL's arithmetic. They are published here, and nobody's secrets.
/// </summary>
internal sealed class KnownAnswer
{
    /// <summary>One of each size that a device can have, the smallest first.</summary>
    public static readonly IReadOnlyList<KnownAnswer> All =
    [
        new(
            1024,
            """
            UURWD4USUl+GwFaCepEejOSLaunQz1gD4zlyrxfxh7QE2aWyaGu/UaGE23S/d1QuloBxkdKMc6H36Zu0Jz5HJQRlenl6G37uNFFXKgae5+dZ9KLaDIy6SKlHfmSM
            MKSd7o5TCk6IOEpiz57XilgCeeJh08pZCcvCtysxQ6Kzb0HHhSmjnoE7V68iZwaDMI5gMy0WeNVfi5FmHBkrd/qgSSi8YBgSjIM+vzandbMMmR2ozAC2VFatfX4b
            TyLDjDZH25vgk6Awl78SpJTzFHl32uY90OoHkPFxFeJHCE8PxGeku6DnVMki2ZSvJtxUNHPhunr140idCK9mnb412MtO64UkD8sVq/tu/dikG8J3RbQcUaVawkQI
            ECPPj9SCF3r6VHOVoKNuALOlfCC1/0uEY7cnwGtkxgs77Q99+Eox84o=
            """,
            """
            fXSkJgmlxbC96kIYz0qqcji+R2DwNWouUTwPq68dcYKKkLgrVOW+VCDJxViGqZJtVVgjORTH3aXFlCmVZKFobef/czqIKEHpzR+UZjecsHErspcHWTZke6ecAOBY
            9AeDRPNsmzzv8DIeZciQCl8au/rTtVOAEOkRarzxO+Kk6YYZzDDeHt4xj67XN1hjgFwmguaXA+ZqGqzJV7hf0HjztRGjtyAPDy90b/kLsfr6n94be/Tgc4/Hoxhk
            1OMeYBdsXioNCyDgjI9VUfdUaXuiBSFr2ZbJW2vKL8wrpyA7StEWTub3EYVXFtcgWVmV59LNFWFUOta5TRSsz+brZXS3dCIvOYuuAF4+ut3tXaSLVB9vjvx1JcSM
            m+EpPIRnYmR/lJVIH9OkNklus7QkdvsQk1TFil7pQ/ffWSSOvqkKweILlxlxUMQvM5H9L5citYMQYKm98NJsNurZhE3DPVJKtL/LSOh2ybF33NYxHKvOg+natQ+k
            LR0Bq+BFkuMIWWjijvsvtQTmfLvueiZL6RYtWXiEKyGGnoky4qmKVSMoa1Jl1Ex8fUCf8zuq8yyk8Krld9NdVYUQ96W/WPaXS/jeaGNW/i2u8P0qwOMZiPqeesxj
            j5sRpam/QUxHcQZZVIggO0Ic7MY1irLdgyoDm0Qa9lxx/njSBLHyUzg/uO2ySS8=
            """),
        new(
            2048,
            """
            oSXzMLR51a9K8oV5bLMRcjzxwKLVw2uesRq6A36V9KNWhwigJrcnRKxMBLkvA9l4pLIjFozgLCs6kJz47HtTpM18llPI90PZOmWGeJq+UXQ4QL72TuOWSPUdqGjU
            i9G/FbPg+Mpd/HtxHDsYAG/yr9ZVhsaWPy98q0eFeNan3Hl6YaSdQ3hpgOjJosb2MQkBApIktq1oYJaQ2LI4bxiSw0TKGk0tSfwYX+W6q1k/iGAlyABjiq6V1U9a
            b5lPGpgB0BCsmQvNhokQ9oWt2fwfk9HPrHNr9jh/oYEuG/hPixrMWD4nc+w9MF7B+OvKCC1NyqVaq27nzkUzgpXhlGr2Yez9JxQDF/qJpJpqdSfBTgqbTzzlRGVj
            QUMgn7vxKhdx947CNPviBl0sjwWo15w7Q3n2Enp5OcAMWuC5WdSA9E4KWSGehcAl9noZU7LkZaI3tXy+e9cQUj33/uIBOSxoMyVy0HwluSDvmkvxr5i8WODe08vc
            9tGj1WoRg4GZBAoH0EKSjUuNAjBoTKdNfLPzJPuN0lNKjLI/FDPsHm08Go+83yE7Sn9Dw8aODl2DbCzhW2oUEl3tSOFMJkgHOT7naGOsKz7OYA4wcSkZBdjtWEaG
            CEjEtYIahYs52vgQ4X+XE2CI/C9aaQ7BsNDDSkNfVcax3QOSyx8/uCeghQOX16uU4R8S524uAFy3Umqm4aGvCuxf5iahCpznDzarl+vlDuEx1mFQPnAumxsIJdIo
            7zTQ6GkA1GXfSwI20wKd9Clzk2ysm/Lf+IrPs/TMc5WeAEHXJ5T1SEO/W8JFFqAJULFfeDOsGjgHoR2yONtoe2erDX+7er7xJwTBPcm2Rvbm7A==
            """,
            """
            jYt2avMOXC+zzau/leaF5XqJu573YvNNDLrGcpwlRutmCszhhZ3k9D2DP7BbNVHUZnjoCxvN7xSxzmAw0eCygBQSSEXzsYKwd5WEZ95zcslr6WkQ9PI4Cevcmb5h
            5BKjl2hEFZADiBH00Pod4LzyC1R8XlhTEkR9yHRszZrrZ89lUD6N4UInUeIfu8rGcECYg85iAOn0UUgDwJMpE86G3L04hioB6YVdGIOoFR0PujIY+aWcv/u9x1HF
            DrzEw6Egp2dW6gQZrsNu4O3k7+PhDJgBWCX95rlZ+lFQQ8DedSiM0rah+mVL5S0X0T12aya1vywkBYuPFy8+hbho5YgqJwMzIvoZOYZ+GPY1HtmkPZHt4i15q29b
            aT2FH5rGXzLBpPtjig3LCvIAsqq3hrpR6lQykKlTLR0G0w361UjcxGD+O4iRRw/FSn/lB3/K7dg69y/WhAFgMyDFHBYlu3qU4xykIwtAeD7wtsDIhL/7yy1P3/vT
            nj6YXUY8oB7keuw4PPWfHTVmOnp2tpt6vJQx0k1h8FUAUgkPIwPVpy9kqrMy/8P03tVgBU2p0oCIFgMMhHGV/l29uEh2I3Km12hWNpyS+7+WT9jE/GsOqvuXzbmP
            ExnxhCshWQn2EDMdJ7uEZ94bHuDaQ6ScJtIXPKXO4mAJv4aABS8SBtN4ChNyUP5/gIuEGNwz3Z37fUSTaamA/Em9O6TT7y226cKb5+cSW0za/etPOP4F0ylGlja8
            2SILlhUbO8Yzm2ys7vS4f181Euok08mxp6lZKET9+aMb8fhEJ492hNjTAGAT+6RXaCReJb5fVBFvrxAQQ4TLyk5ZS4SSr3jhqnTkmur92E99wI4B1rYXGuolhzFz
            vUaNPdiA+0XWdFBGpVg3DxPhsLL3ktzFPUAQJVBVMOdSTRhRgbmSJk8XzC77LEXqIEk74ltMu2AvEWIjvO2+GPD9MsfvkCTnX0UECU4+9pKMMrPxm/T1pNtoa+lw
            9/VyiUvfeDd+vffaVzGtoiq/SY7ItIsCfjIX98QdLPUHbgJx1ATgakdRCKd7UCAti+euLO3+fG7tjvuJQqD2XjFN5xaCozeKS73GPdvgT9ytYwDdxzM4JqkUok5Z
            zLWkxj57oWLsi1GxZ1MXywX8/JGAxcsKje4yeznYruYoCn5dEhwUEZOEyt/pwgFUQX0OFugGQ4rkJx2aRzpUp0tAS1iALZqz80AMtd065d54SYwDbUQYhaVC2d+/
            rHTvA3Hz9eCMJzSGoxVBsy1pd+njL/eNc+5J9JFSCyqihDpwvSZLkPGQ/9HNYasPzJmzOmW0nZeSroQ64KueWU43owb47mR9fQwjplrmwL1/QgF1tqGCgxdf972V
            0Q==
            """),
        new(
            3072,
            """
            ioZ7d9b3LhszxEV0JdsTlC4/3OtC0DB7/ZtUN5t5kj+kTIP3lwlX2Na8ULBJIb4XBt80SyzbVAvKaRmB9K/i1gR14UhmhLu1AbPPXTt2bMnzuZdjSkt8b2uIf8R5
            JRAqKuK8inArU/ncPdOk5Q303lwKZbTYC15xQnA7GWBr/yp39PDR2us8wHI6C1TAtbzomWONg9cJ1T4T14AzqrNoNiiD4+MG8Jwe7QWO8B30Cl3MHkjX+H9gN964
            //61O9aRb2/UR+9s1FcL/mGtCj6rZ9azGaryTSvzPlQjNJcVH9hFk/lALVuyllcnjiFHYX+FhTFy+7OJfsY6F4vnwoozpbg0NeuUSkQf4AEnSIjsb9u5nQ8gwQKE
            k8jOfOcSIHDjN2eO9Wbixj3r2I3jpyzV1n8ygm1dJKnlIDsBvi/JSrvDNR37E/g0lWFdfytDFk1hyzvj2lWf1Qimhs5APbKrTvzLGLsm9f3TnCQFXNwZyN1arEeL
            nUgtONp+vQZYB2Ul4ncSiLnZt3iHEoBixgK3gH875RjGmXz8qsgSGpBHZ+uBLQ+bocznv1BkysvM0rs9scYJKO2zef3YLtI+uVuLwyZxWVdbyT+QaHq4IFtEDOBh
            Sx5gkPqTnFPvuWCp4Ehv89JF3qt8oQ+vbs7sFI4waFOin32cLRnHGBJgNU6OU9MwyO65heHOHGXviMD706QIHK/JE7KjdONLskU+cpVmFUHQXQYL4CQQnFtRn4bY
            xEpSon2C2AuZ+SXCYVHtRGEn5YnuN2cJDMSddLRrTQ3oo3KTIeHTw5OTRLdM7wyjU0/FhgdzqpUf1qAVJ7732ws7fWvHG5wsuOUoTPfYA9BBp6MyXGoxZroOoPHT
            QvwW45996xo4b5OFNEUeEMvpDIDtMuWzVEfeT/eFLGNB3XyNaU52+z5o0ty3bxvEPmrMb/HSjA73l22hog3pGvfiNcymr6hzuDWSWq61JMCdJ4FU6CT2zLFMqd+v
            Gukzn0x3aR0+WHnImhA5janz4Pu4TtQFmBXeFmIcA1PMxzQVrqAyw1bO+M2CkjdqQ+BKN2ZK1Po+DbTmQRgxzU98/j1OJmmQDlO4NsJfOSx747Cc+LzXvu2h//cq
            GaPi0xZoToTy8R3awgvq4YOvkeOiP7MQggceeIsxGdUWe/NwC6UBp5gNkAn3m54InGHR7GReLQvVFzbPcGvDZzPR7lao8zcpAblB1Ygd0+y6hQaoZnUWB+i1ybBB
            1UCwXMo3G7mLJU48RXV/o6A0NmOOQ2DghIGmsT5r
            """,
            """
            ooP9d9thMx0cB7pySDAQLIykc71axrKomXXcKm64T4V9QLYP/vhHm1w1/MgzZUTSMWZ8L/YLxc/RoDgTf2zgeLmvJSs4yrz49bUsGwCwkPBmquX2QzN2ZyVEX0jm
            k9X+3LD/6xLg+YIqaGNi1SLrGrTm5717a9sDwxsCk0OVqUy7/h3ceq6rYfvHtKL0QKGKcgrs7bfCTRWVEYgmp/2U/3WjxLi0w5KzBNGk8luAKZrWmLzW7BOmkzUE
            F+zEY/jfoNZGkh0SFw7eNZ/CgZWuLhOV2/4vJULrWgjNeyBNXDfYbHeVJBskKLpc+R/tG910N1bTehvmp7ze9kxU/q628JxptMkyWTlg9qjX01kNAPwpabxyWOtn
            uTjLWy7nsJ8EJrgFMzwsZJ3FZnCHKj1WztljGzf1CAiAZNJEuOCaqepkxU2OOEsI+9tfJ7EjcRYvewz0E16GHUI/Y1V6d8e4tnV96F8rFbVBvR0gS2ge0o3FxbO8
            Kd2UNV+D83YCE/gqNTdv7PIeaNd5CS6pboyqXjOTKB9U2eUzG47+9FEQKyIOGmeR+vXmPRT0/+D0vOQ6wYQ2hcRw8s7LN5DxjwmNmiLuLAW8I3p3FWQ4//PlxWP7
            VmRDTLXJRNG0GNb/oWBi+6dMi+PRjEfzQ23L0RXoJUs3QOtOBHdIHK10Euc84pih9IIcnKrAB7OCPxi396jz9iG7x9cPnGMwFiT9t5QHgcW5Hm8iwecFVT+RMuAE
            Kn+x0a1qaJiQ5wWNF2pyOLa1oj/pAiNQW6NpWPiH0SKbovi0gKlA2YNRZwBULFOVZ8XicAHu8UYPSN27YWsCUI2GMnLirPKigqM8ACjjq68pjQP8u202+yaIpa3D
            x8cBoXnA0B0/pTYNCtoOLeA9QIzgL2R1kF6fjNNiQ7kq6ylUcjJxIbzLr78xOrkrzr4+lst3/slXJVUkUSR5k2PoPA2uvYiyQEZLt9jcrIbiU7t08Kpu9m93H8pT
            HMlfl5xOuTr/J/HXvkb+B+cq3BqxKPjJaroLtuaNpgA00nF/kvVf2hNaO5qD5Uh2ejMCRYXhbKfXwIbZrR0qYQKhDMnyeOwhvYOHPD+jR+STaRrz4TGiSPO7NYtR
            sodHnH75CG1h7NOogzNnruNwvL3h8/32palhfypYr8iXecQQ25V2XCCtcRqQ+v2ADTMePO35OUl1Q+6K15FF2+L5/CVxV0IKu0fNBpPXSi0iGPZnr7jc0057YFHH
            tpyQlE/IhGiYzwuW28ukuhgBYLEbPT6/LW9jsKUmokQj0IYo+IqOX7JFPzkDjLmWNxPv4/Ya4XpsNkxulvGFFAfOgiwebrPTAh3IRwWHSHac3WCjoNIQl6/ca8za
            GKD70YFrpoxYJsAzQOLGcqdvnVk86XtCCFK80RK1by8PGhm/IKPU3pq+3MIAHY82Q5BtuRMXZ0BK9py/oxvWwkgP37yYHrcilY3HK+h7wWOPu4DfU9/cE500mRz4
            n8GK2lCiLC0h7v7k+oR5jttvuPRSGfGeYmKdlx3GHlLgey6oZKpf8D8NlcU3S3Np7iXVz3cQx4VdlBpEACerkpYOR6ocD2jme8C9IQpWhghte0YrIU14G8hW7QGx
            GE1ywjKcOAeq4fpQLGI0LTMJlOGm8jE5xS3A/eodWynQS9JJApWRFIu1aeAo0wcmr53VsI+XGnVFHLhb3ani2tAe7v3ghv80fDimT5e9vXKONMOYXm67A/+d3Qen
            Btyb7ZgsjTcqaUmDkMxywEVeox30sY7HsVjT4Fz5YkXRnamf8bJv6T/dHAyBZ7bbfVTMOm7jne9wBWl8xtcSmNdrf7IhF91zAzvtfutpzQtcY5Rn9F7peWFXO6AZ
            mblHd24ioniNCqQfj+6Tmr3qW3ngOR4jrQ4DbzZkAm2DC1Sc/seGIzQxp0BH0HgmjXhTpNVV+6lyidADZGZm9kWlI3ohY1+F1LyGcslPmBiFqWQhs2H4rjcpmUpQ
            u+2nddW3h99Xj44DNnjb5ZHVNzCtJgfyCL5J8xCIgibvNo76R+i6caMdb9MCWGAZ
            """),
        new(
            4096,
            """
            SoejZSvYUce5C8o/lrhV79JamFBvHc112w89JyWB2dSnp/+Lj6i5XfO8uzlR+wBF/uf+WWFO3IuliW1IaasPVviH36SIZmgEcmeDhnKGXTTKTc7DN73/tsQ6NuUz
            HsbfNKXpjeNkmcXq2oWaxInZEahQ9U352XZEKIRmWqTQBwf+yxzZGOPSC+zmXAOCGQW9hM10lmLAAne/AovCiDddvM/sGk58rjPKFyUlc1rVo1LN85Dlo7qixpdo
            YX5SooTJAbziF+AhqKaOZUz7gaDIaoYZHw+KsLcu03JMu96IerQe28r4mOR7I6ttaFEp3Ui2x+yDN2DqqdFOF3yS+XHqMQOXBOr4l349ZuIXvxQn0NMN3jqwR2xQ
            1zKbNEU7jjYtcRjCtlhYh1kvd+jyZr62UVdeB+XHeUdkEJSrcqJUSuX0+FERpELVhqJUf4AvKD2srF7iO3aEiG0T39pbm7EM+8pAlzvCpTHlnzAYwSclAw1aROAo
            dyuOXZf/FJ2ySgl0DCgbKPFZwWsVCL/OoP0x825hxX1z/1DtByh5PNxubuA3Sd64Yh6V8ygK0vcBPAEr7utPbsUVv78Lm5oX3bG0CYJ+s7YQDPeg2pTbukcKANH2
            CtOyvHn3qYCwBcsAGfS4r52p00cnLv1p/z7SJ9D15PMcc3KFir9AxLDgioRMgw35XCMWoD+JpUjDWX1syYk6mzB+3QTxeXyv7RQbAnhVMRuBlYGVhAM5T1bRgBga
            lgw42dqxNtd1FK01GRCO3arQsA2y5ZnI59VE5oObSgjiMOy+aAtgd392Cl0X/MkBH7SppzXXtPaAN0PPEyZzl5/AcwsamFLnYQwPYG+mpdt01tRjr/eAZ3EtGegs
            dbPxrIwH4WJHTAq7kPuw45NQ5a2PyH5vR3MEqKYsom6f3dLpycDUBSOOdUoybGirjkymIOA/pUwgBcVAQEnCxo7oKl76Yw9icjIVqshcBaX0irH3fJilvd/z1WUN
            oCNjXBaQNqFVuZJfuIMKqgDYxl7osjUN3iovYNF09dJXYwXX2Q4EE/1ozpERymXlRnFYVvvBkTNQjClc11uLadYz1QvFSQUW45CfgDXr5y8hx3C5HfUtQ+V5mnXO
            USwcAblfKvJS4BHmRMyX/hCqkpDIssFm5dBW1z0JB3bsjON+2BlxWbl10HSSmJ5q2msgPRSyG0sdq+VQiSRFvmqM5MsEy+BIeovgK82wCgdwJctST956uQATAy6t
            Fg8w0s/U+ASYQNV023uMwAZN9vB87barE++CrQTi4N32/7NgYCsUemTWXWDnF6gys79BrlODWRYdQXw+FW2Wr9mMr5zsFItmc+OhBnT6rt+AHT9mcndnnqLI2Fyr
            hSYz1NzCW+EjI9iVC6HPCrpyidFWY1DnImGeChNVwQd5WeBqOxlFAUrNuc8fvCO3f6SQBZQ2OzWyBG5nGJvd4tZzy8cYSCnzsmDMg5oWOQwAFBYFN9XMsDB295iR
            kvQxsVhZOlKjJJOgC1E6H1fGZQKCFyTv4TqhRIACDFVR5/5vCVrra2vt/3dy7dgtdzC0p9rYMhUd+r71gCZdX2sqt03mSpbjiZJqAfDfeubR/KrMl5dMU9Kna+eL
            zmr7XAmz74j8DcQCfALSivQcldPgqrSRVgNpCeIRLJYn3Q/j49nxjjgB7f1jKo/jfc2LcIjGcYlIJCVao6MRLUuCnO/Frx8=
            """,
            """
            c6kWVlyEPfGAQpIIzmnh+5LuzlMcY5FFQugoEIavJpACLL0APYYouETSeTzvA7WUX8+Xp0rgA4YcL7fuKmhO9k2jhUxJ9JckayK0RefHiP6X2uEhvUMBSS2kMZ3K
            JaBoNpPIWJx27TlJRw6UGhOiOlgJ0IZWGcsbKua3a5YeQ24FBU/6ToLWlfW3RQzojyX2ZdhNt4eN6rx/tfeoOTc7s1jqaJX9JaKjaV229jBiImGCe3dxghIe15c2
            mnrX1YtGhZ7WDvLoYAxK27Nd+C6/sJ6KWkr2JDgB/SiDvKFAu2zSqsoVcbICfdD1tEEaG+v4qNdcgIkG0qtlMGx5lx/HepbRc+Yv/SWspuZxGEzoY8mdxIWbwMlN
            AkLUGKt4FNPXTlHX18EGoUK0LM1I8T8GM2u2aSev6CvJXLz8XDyu75tCdgDTiQoYnopQ0FKe/5FF+uC+2kNnLQ5C3LJfad3PZNvMFawasjJDVR6jrpKJhLimVWh7
            iT5gZUcGvN32+Gn7S0fVOB1C0fWyXp2uE5rwyOSDBMBzSJduSxTjMrNeu/Bpko6IGdw+TBwG5rF8kTREfe8xZNk11k+4fEnu7IgQG7FjSLx5hI0iZ6dNfsP91kOO
            Kw5Oy2tgWb1Gn3zorN7hKSjqhkJ4Z3aEX+PjOz2CUr9LDdxlGeTnG2jwj7jkHoEPCwJti8C7SNbf6QCCaBeo83qf+QotIjXbhakz6FbkOyVuNFSKfGHW/E4C8WY/
            6AAowAXHtDY0bJg5tIKXzfE2dqarwh5gnqQ3ftG9tXGTKDLvVefgW0ePRWDVmozheGCqVfF3MFLY8i2aXdWQjEhKqpsg0pgpmZfj1KEiyn2pAXklkKBxrn13f6N2
            4adhbkn8GtPnOWioSeNvD0Yy1ERAxxFDZeVoWYJNlWXu1Gx4V74J0i9147txdaw5fjYMlyEcn7xD1GYh+Qk489pH6mACW9c8sQnYKJsKlIto8ob/HMlKc+dBew6+
            xLKDy1wGEejL9CSSrP5ecUdTLhEzBa9F72/2v5kTYwdhaXfn7vgOxokN7y30Tps/zMnNaZpzLt9QzRTrfjYVJYvXk8cVdRz71DXYnPU9r+hTd4v45JGMyZeL3AFt
            wOlKQ+Xr9v0AKTqlRRNmG2QECAhItke2/+BNg8Z4/9XpgikWRET2pgakRqCLCQDa9Bu8sDWd/l0UHsI4osnQ85aAFtY2WHx0cgCP+0eB/SH7riR1PCVJieWfsSu7
            C+DUaONo4xQ52NPs+H0W4aq3rGLjJ3GbqEdoMjBHV/2/48QYAsL3Rpqv+9Vw8bBGtGvi6IAAdPAlpC1Ak9ybgdnfZstGun+usieDVumaNx/9XhTkZs5+vG7g9qyd
            jnHC5U8xl5GYHolkrsNcP2hGxp9HHjtB/6qtGUqr98ZZrVZHqebZw3j6xUAGuFFyuRz25FQt+bipCtVkzJP4QdTl2VHlOFHeiHyviVG5onzdidTZqjA/VsRlLVyM
            ur83mByt51PVgW41G/KDWcPxxN8bvor/nfnJhQI2hg7WALTk6POi0VZY8ZcicB98rsIo4hT+7bytbVsk6Ak22yEBMD5Ibkri0OsxLt9RsQajd3JUyPMcPes8ZwQ4
            lXdX/DPcW3A0HjNRlY7bp4Kxs6zRk/gJ5hAAJLMbEuHCox60cMUjBVLM/+UpTwyzUhcejA/kkuXX3+ovBZb5RoEnBitdx5Fo7pq1UvBiHInfoBAjPWL/4MdPTEIL
            zcoxkx0WEYqD00qVabt4mIbydxymL2IdXYETn8wNqTeNuZWTEbEBuj8o12JGkGrk4y2Dq1Q47GngsQblVzZ3biFE805//j/BHgdrfw4GkmMEfhpfhhVuM7MjSW4n
            UtX9r6eswISmXmSznJh0CEMxoGShBY12y5BSBohZH1ui2xhg15V2Rpa9bkffhoeaEtbLF4au4bu0m2gTq4bLkpdg8tx0Q/Ixxk7fRqGQy6ZRLc5zav3GvKu3ThHh
            c6eYI6UnDOiFoTtYrwpqBnjkq172PXewMNZXmP3eFOLBqzh7dZ3K6E5XeBS178W4Eibodw/yd/7EvaaPpVWgKFzSMmTnvZCFPLIhV5J/rYZyYTpk4NGfZDCiVWiw
            kY7J7KNI3StVSEn/ad5NsJSwoiEpeyFwb6zxxxRXNlv3rcbUcIRjWekBvayjZSiVW4o5ZnoI3KqHuiXxCBCwB8PSm7xXRNgrWTGsXSWuNsrchcxvQfeZPqwO4pvY
            irYCnLSyTjhBQVnYI3XpcHw9nW0yFcRm/HdkH0FmWthAETCGwkssXQlgR9Y4YbVDUY2cVBPudjr+6dLxSHRXlxl2xsU780lbf/wBzciLhWKEQIpDEO/+0f4XTm9O
            o8gvYvK8lajcIqbZ2NujZ/IE9wlMNlJN/IXunYApYPyZCVTJmGe+YrePJ01vLiirXy6l+7WJUMC14pGSqudIgMaH32qa5KX8ZsKY4h6Bjvils9j16v9s8RBXgIvi
            ASdjM3aPM4FzHGhm1zN4rgYDOG+rh1Axou/1nkpY/WGnsgmWzko4A7iBeAVy8N8BGprhvzqSjYD9GC+Kr8nKeAxaAdrvkMTat+aHVTyeUQtv+0L9NVfSWNZXG51O
            jNwtkDlTwStMv276WwmYQxgmbVfmJJTFQOxjQxaZ2qL4Gm6rAVoloxv5ZCcrmR8vcXDzze9VIPPiwhVSzicfB8S+ty8Be6pTHYXmWqwWF0PY683/v/GdJwxyplgz
            z/E=
            """),
    ];

    private readonly byte[] _block;
    private readonly byte[] _pairs;

    private KnownAnswer(int bits, string block, string pairs)
    {
        Bits = bits;
        _block = Convert.FromBase64String(block);
        _pairs = Convert.FromBase64String(pairs);
    }

    /// <summary>Another key and other answers, for devices that compute something else: those of tests.</summary>
    /// <param name="bits">Of the modulus.</param>
    /// <param name="block">The key block.</param>
    /// <param name="pairs">Input, answer, input, answer, each modulus-sized.</param>
    internal KnownAnswer(int bits, ReadOnlySpan<byte> block, ReadOnlySpan<byte> pairs)
    {
        Bits = bits;
        _block = block.ToArray();
        _pairs = pairs.ToArray();
    }

    /// <summary>Of the modulus.</summary>
    public int Bits { get; }

    /// <summary>Of the modulus.</summary>
    public int ModulusBytes => Bits / 8;

    /// <summary>dq dp q p qinv.</summary>
    public ReadOnlySpan<byte> Block => _block;

    /// <summary>An input; even and odd numbers have different ones, so that answers that a device exchanges are wrong.</summary>
    public ReadOnlySpan<byte> Input(int number) => _pairs.AsSpan((number & 1) * 2 * ModulusBytes, ModulusBytes);

    /// <summary>input^d mod n.</summary>
    public ReadOnlySpan<byte> Answer(int number) => _pairs.AsSpan((((number & 1) * 2) + 1) * ModulusBytes, ModulusBytes);
}
