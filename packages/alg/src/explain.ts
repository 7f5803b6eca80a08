import { clauseOf, type FailedCall } from '@sock/core';

const NO_ALGORITHM =
  'this kernel has no such algorithm of that type. /proc/crypto lists those that are loaded; modules have the names of ' +
  'algorithms (modprobe crypto-sha3-256), those of the types are algif_hash, algif_skcipher, algif_aead and algif_rng. ' +
  'akcipher is not in Linux itself';

/** The clauses by call and code. */
const CLAUSES: Readonly<Record<string, string>> = {
  'socket EAFNOSUPPORT':
    'this kernel has no AF_ALG; load the module af_alg (modprobe af_alg), or use node:crypto, which needs none',
  'bind ENOENT': NO_ALGORITHM,
  'bind EBUSY': 'sockets that were accepted from this one are open: close them, or use another socket',
  'bind EINVAL': 'of features and mask the kernel takes CRYPTO_ALG_KERN_DRIVER_ONLY only',
  'bind ELIBBAD': 'the algorithm failed the self-test of the kernel, or FIPS mode forbids it',
  'accept EINVAL': 'bind the socket to an algorithm first',
  'accept ECONNABORTED': 'the socket was adopted without its family: Socket.adopt(fd, alg)',
  'setsockopt EBUSY': 'keys and tag sizes are set before accept: sockets that were accepted are open',
  'setsockopt EINVAL': 'the algorithm does not take a key, a seed or a tag of this size',
  'setsockopt ENOMEM': 'keys can have as many bytes as net.core.optmem_max says',
  'setsockopt ENOPROTOOPT':
    'an algorithm of this type has no such option, or the socket is not bound to one, or it was accepted: options ' +
    'are those of the bound socket (ALG_SET_DRBG_ENTROPY needs a kernel with CONFIG_CRYPTO_USER_API_RNG_CAVP)',
  'send EINVAL':
    'the initialization vector has another size than the algorithm wants, there is no such operation, or what was ' +
    'sent before without MSG_MORE has not been received yet',
  'send ENOKEY': 'the algorithm wants a key before accept (ALG_SET_KEY)',
  'send EOPNOTSUPP': 'operations are done on the socket that accept gives',
  'recv EINVAL':
    'a generator wants a seed first (ALG_SET_KEY before accept), a cipher whole blocks, an AEAD cipher its associated ' +
    'data and tag, and room for all that it gives',
  'recv ENOKEY': 'the algorithm wants a key before accept (ALG_SET_KEY)',
  'recv EBADMSG':
    'the tag does not match: the key, the vector, the associated data or the data are not those of encryption',
  'recv EOPNOTSUPP': 'operations are done on the socket that accept gives',
  'recv ENOMEM': 'the request is too large for net.core.optmem_max',
  'getsockname EOPNOTSUPP': 'the kernel tells no addresses of AF_ALG sockets',
  'getpeername EOPNOTSUPP': 'the kernel tells no addresses of AF_ALG sockets',
};

/** The remedy for a failed call on an AF_ALG socket, where there is one to name. */
export const explain = (failure: FailedCall): string | undefined => clauseOf(failure, CLAUSES);
