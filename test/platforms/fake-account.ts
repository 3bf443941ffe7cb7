/** The environment by which the SDK comes to the fake AWS, and nowhere else. */
import { afterAll } from 'vitest';

export function useFakeAccount(): { readonly use: (url: string) => void } {
  const before = { ...process.env };
  afterAll(() => {
    process.env = before;
  });
  return {
    use(url) {
      for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
      Object.assign(process.env, {
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'hunter2',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      });
    },
  };
}
