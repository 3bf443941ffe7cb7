import { expect, test } from 'vitest';
import { parseListenAddress } from '../../src/live/listen-address.ts';

test.for([
  { text: '127.0.0.1:8080', address: '127.0.0.1', port: 8080, isLoopback: true },
  { text: '127.7.0.9', address: '127.7.0.9', port: 0, isLoopback: true },
  { text: 'localhost:8080', address: '127.0.0.1', port: 8080, isLoopback: true },
  { text: ':8080', address: '127.0.0.1', port: 8080, isLoopback: true },
  { text: '8080', address: '127.0.0.1', port: 8080, isLoopback: true },
  { text: '[::1]:8080', address: '::1', port: 8080, isLoopback: true },
  { text: '[::1]', address: '::1', port: 0, isLoopback: true },
  { text: '0.0.0.0:8080', address: '0.0.0.0', port: 8080, isLoopback: false },
  { text: '[::]:8080', address: '::', port: 8080, isLoopback: false },
  { text: '10.1.2.3:65535', address: '10.1.2.3', port: 65_535, isLoopback: false },
])('$text is listened at', ({ text, ...address }) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test('an empty address is any free port of loopback', () => {
  expect(parseListenAddress('')).toEqual({ address: '127.0.0.1', port: 0, isLoopback: true });
});

test.for([
  'shop.yaml',
  '::1',
  '[127.0.0.1]:80',
  'shop.example:80',
  '127.0.0.1:65536',
  '127.0.0.1:',
  '1.2.3',
  '-1',
  '999999',
])('%s is no address to listen at', (text) => {
  expect(parseListenAddress(text)).toBeNull();
});
