import { RegistryFault } from './fault.ts';
import { asFault, type HttpBody, withoutQuery } from './http.ts';

/**
 * The whole body of an answer.
 *
 * @param limit  most bytes that are taken
 * @throws RegistryFault REGISTRY_FAILED when there are more, and what happens on the connection
 */
export async function readAll(body: HttpBody, limit: number, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      // A large answer's buffer is used again.
      chunks.push(Buffer.from(chunk));
      length += chunk.length;
      if (length > limit) {
        throw new RegistryFault('REGISTRY_FAILED', `the answer is larger than ${limit} bytes`, {
          at: withoutQuery(url),
          hint: 'No image index or manifest is that large. Is the name right?',
        });
      }
    }
  } catch (error) {
    throw error instanceof Error ? asFault(error, url) : error;
  }
  return Buffer.concat(chunks);
}
